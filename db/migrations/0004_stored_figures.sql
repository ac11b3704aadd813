ALTER TABLE `dataset_revisions` ADD `job_id` text;--> statement-breakpoint
UPDATE `dataset_revisions` SET `job_id` = 'job' || substr(`id`, 4) WHERE `dataset_id` IS NULL;--> statement-breakpoint
ALTER TABLE `runs` ADD `changes` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `runs` ADD `figures` text;
