CREATE TABLE `request_log` (
	`seq` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`received_at` integer NOT NULL,
	`route` text NOT NULL,
	`status` integer NOT NULL,
	`fault_domain` text,
	`key_id` text,
	`model` text,
	`total_ms` real NOT NULL,
	`detail` text NOT NULL,
	`is_cut` integer,
	`prompt` text,
	`answer` text
);
--> statement-breakpoint
CREATE INDEX `request_log_by_id` ON `request_log` (`id`);--> statement-breakpoint
CREATE INDEX `request_log_by_time` ON `request_log` (`received_at`);--> statement-breakpoint
CREATE INDEX `request_log_by_key` ON `request_log` (`key_id`,`received_at`);--> statement-breakpoint
CREATE INDEX `request_log_failed` ON `request_log` (`received_at`) WHERE fault_domain IS NOT NULL;--> statement-breakpoint
ALTER TABLE `keys` ADD `log_bodies` integer DEFAULT false NOT NULL;