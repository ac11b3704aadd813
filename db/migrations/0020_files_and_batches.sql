CREATE TABLE `batch_results` (
	`batch_id` text NOT NULL,
	`line` integer NOT NULL,
	`is_error` integer NOT NULL,
	`output` text NOT NULL,
	PRIMARY KEY(`batch_id`, `line`),
	FOREIGN KEY (`batch_id`) REFERENCES `batches`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `batches` (
	`id` text PRIMARY KEY NOT NULL,
	`status` text NOT NULL,
	`endpoint` text NOT NULL,
	`input_file_id` text NOT NULL,
	`output_file_id` text,
	`error_file_id` text,
	`model` text,
	`metadata` text,
	`output_seconds` integer,
	`total` integer DEFAULT 0 NOT NULL,
	`completed` integer DEFAULT 0 NOT NULL,
	`failed` integer DEFAULT 0 NOT NULL,
	`tokens` text NOT NULL,
	`errors` text,
	`ending` text,
	`job_id` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)) NOT NULL,
	`expires_at` integer NOT NULL,
	`in_progress_at` integer,
	`finalizing_at` integer,
	`cancelling_at` integer,
	`ended_at` integer
);
--> statement-breakpoint
CREATE INDEX `batches_by_key` ON `batches` (`created_by`,`id`);--> statement-breakpoint
CREATE INDEX `batches_by_end` ON `batches` (`ended_at`);--> statement-breakpoint
CREATE INDEX `batches_open` ON `batches` (`input_file_id`) WHERE ended_at IS NULL;--> statement-breakpoint
CREATE TABLE `files` (
	`id` text PRIMARY KEY NOT NULL,
	`upload_id` text NOT NULL,
	`purpose` text NOT NULL,
	`filename` text NOT NULL,
	`bytes` integer NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)) NOT NULL,
	`expires_at` integer NOT NULL,
	FOREIGN KEY (`upload_id`) REFERENCES `uploads`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `files_by_upload` ON `files` (`upload_id`);--> statement-breakpoint
CREATE INDEX `files_by_key` ON `files` (`created_by`,`id`);--> statement-breakpoint
CREATE INDEX `files_by_end` ON `files` (`expires_at`);