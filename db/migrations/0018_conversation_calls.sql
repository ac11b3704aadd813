ALTER TABLE `conversations` ADD `tools` text;--> statement-breakpoint
ALTER TABLE `messages` ADD `reasoning` text;--> statement-breakpoint
ALTER TABLE `messages` ADD `tool_calls` text;--> statement-breakpoint
ALTER TABLE `messages` ADD `tool_call_id` text;