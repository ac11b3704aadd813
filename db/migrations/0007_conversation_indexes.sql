ALTER TABLE `conversations` ADD `index_id` text;--> statement-breakpoint
ALTER TABLE `conversations` ADD `retrieval` text;