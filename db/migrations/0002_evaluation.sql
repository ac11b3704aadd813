CREATE TABLE `dataset_revisions` (
	`id` text PRIMARY KEY NOT NULL,
	`dataset_id` text,
	`revision` integer,
	`hash` text,
	`samples` integer DEFAULT 0 NOT NULL,
	`added` integer DEFAULT 0 NOT NULL,
	`changed` integer DEFAULT 0 NOT NULL,
	`removed` integer DEFAULT 0 NOT NULL,
	`source` text,
	`tags` text DEFAULT '[]' NOT NULL,
	`tag_count` integer DEFAULT 0 NOT NULL,
	`report` text,
	`created_by` text NOT NULL,
	`created_at` integer DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)) NOT NULL,
	FOREIGN KEY (`dataset_id`) REFERENCES `datasets`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `dataset_revisions_in_order` ON `dataset_revisions` (`dataset_id`,`revision`);--> statement-breakpoint
CREATE TABLE `datasets` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`sample_schema` text,
	`baseline_run_id` text,
	`created_by` text NOT NULL,
	`created_at` integer DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)) NOT NULL,
	`updated_at` integer NOT NULL,
	`deleted_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `datasets_by_name` ON `datasets` (`name`) WHERE deleted_at IS NULL;--> statement-breakpoint
CREATE INDEX `datasets_by_change` ON `datasets` (`updated_at`);--> statement-breakpoint
CREATE TABLE `revision_samples` (
	`revision_id` text NOT NULL,
	`position` integer NOT NULL,
	`key` text NOT NULL,
	`sample_id` text NOT NULL,
	FOREIGN KEY (`revision_id`) REFERENCES `dataset_revisions`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`sample_id`) REFERENCES `samples`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `revision_samples_in_order` ON `revision_samples` (`revision_id`,`position`);--> statement-breakpoint
CREATE UNIQUE INDEX `revision_samples_by_key` ON `revision_samples` (`revision_id`,`key`);--> statement-breakpoint
CREATE INDEX `revision_samples_by_sample` ON `revision_samples` (`sample_id`);--> statement-breakpoint
CREATE TABLE `samples` (
	`id` text PRIMARY KEY NOT NULL,
	`hash` text NOT NULL,
	`input` text NOT NULL,
	`references` text NOT NULL,
	`contexts` text NOT NULL,
	`output` text,
	`group` text,
	`tags` text NOT NULL,
	`metadata` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `criteria` (
	`hash` text PRIMARY KEY NOT NULL,
	`definition` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `evaluator_choices` (
	`name` text PRIMARY KEY NOT NULL,
	`active` integer,
	`shadow` integer,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `evaluator_versions` (
	`name` text NOT NULL,
	`version` integer NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`criteria` text NOT NULL,
	`judge` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)) NOT NULL,
	PRIMARY KEY(`name`, `version`)
);
--> statement-breakpoint
CREATE TABLE `feedback` (
	`id` text PRIMARY KEY NOT NULL,
	`request_id` text NOT NULL,
	`rating` text NOT NULL,
	`comment` text,
	`correction` text,
	`sample` text,
	`given_by` text NOT NULL,
	`created_at` integer DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)) NOT NULL
);
--> statement-breakpoint
CREATE INDEX `feedback_by_age` ON `feedback` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `feedback_by_request` ON `feedback` (`request_id`);--> statement-breakpoint
CREATE TABLE `labels` (
	`id` text PRIMARY KEY NOT NULL,
	`result_id` text NOT NULL,
	`metric` text NOT NULL,
	`value` real NOT NULL,
	`failure` text,
	`comment` text,
	`blind` integer NOT NULL,
	`labelled_by` text NOT NULL,
	`created_at` integer DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)) NOT NULL,
	`replaced_at` integer,
	FOREIGN KEY (`result_id`) REFERENCES `results`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `labels_by_result` ON `labels` (`result_id`,`metric`);--> statement-breakpoint
CREATE UNIQUE INDEX `labels_once` ON `labels` (`result_id`,`metric`,`labelled_by`) WHERE replaced_at IS NULL;--> statement-breakpoint
CREATE TABLE `prompt_labels` (
	`name` text NOT NULL,
	`label` text NOT NULL,
	`version` integer NOT NULL,
	PRIMARY KEY(`name`, `label`)
);
--> statement-breakpoint
CREATE TABLE `prompt_versions` (
	`name` text NOT NULL,
	`version` integer NOT NULL,
	`hash` text NOT NULL,
	`messages` text NOT NULL,
	`note` text DEFAULT '' NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)) NOT NULL,
	PRIMARY KEY(`name`, `version`)
);
--> statement-breakpoint
CREATE TABLE `results` (
	`id` text PRIMARY KEY NOT NULL,
	`run_id` text NOT NULL,
	`sample_id` text NOT NULL,
	`sample_key` text NOT NULL,
	`repeat` integer DEFAULT 0 NOT NULL,
	`state` text NOT NULL,
	`output` text,
	`passed` integer,
	`failure` text,
	`error` text,
	`attempts` integer DEFAULT 0 NOT NULL,
	`created_at` integer DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)) NOT NULL,
	FOREIGN KEY (`run_id`) REFERENCES `runs`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`sample_id`) REFERENCES `samples`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `results_once` ON `results` (`run_id`,`sample_key`,`repeat`);--> statement-breakpoint
CREATE INDEX `results_by_sample` ON `results` (`sample_id`);--> statement-breakpoint
CREATE TABLE `runs` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`tags` text DEFAULT '[]' NOT NULL,
	`state` text NOT NULL,
	`pins` text NOT NULL,
	`dataset_id` text,
	`prompt` text,
	`error` text,
	`created_by` text NOT NULL,
	`created_at` integer DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)) NOT NULL,
	`started_at` integer,
	`ended_at` integer
);
--> statement-breakpoint
CREATE INDEX `runs_by_age` ON `runs` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `runs_by_dataset` ON `runs` (`dataset_id`);--> statement-breakpoint
CREATE INDEX `runs_by_prompt` ON `runs` (`prompt`);--> statement-breakpoint
CREATE TABLE `scores` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`result_id` text NOT NULL,
	`metric` text NOT NULL,
	`evaluator` text NOT NULL,
	`evaluator_hash` text NOT NULL,
	`criterion_hash` text NOT NULL,
	`state` text NOT NULL,
	`value` real,
	`passed` integer,
	`reason` text,
	`claims` text NOT NULL,
	`votes` text NOT NULL,
	`shadow` integer NOT NULL,
	`judge` text,
	`embedder` text,
	`error` text,
	`scored_at` integer NOT NULL,
	FOREIGN KEY (`result_id`) REFERENCES `results`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`criterion_hash`) REFERENCES `criteria`(`hash`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `scores_once` ON `scores` (`result_id`,`evaluator`,`metric`,`criterion_hash`,`shadow`) WHERE state = 'scored';--> statement-breakpoint
CREATE INDEX `scores_by_evaluator` ON `scores` (`evaluator`,`metric`);--> statement-breakpoint
CREATE TABLE `idempotency_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`fingerprint` text NOT NULL,
	`state` text NOT NULL,
	`holder` text NOT NULL,
	`held_until` integer NOT NULL,
	`answer` text,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `idempotency_keys_by_end` ON `idempotency_keys` (`expires_at`);--> statement-breakpoint
CREATE TABLE `jobs` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`state` text NOT NULL,
	`payload` text NOT NULL,
	`progress` text,
	`result` text,
	`error` text,
	`created_by` text NOT NULL,
	`created_at` integer DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)) NOT NULL,
	`started_at` integer,
	`ended_at` integer,
	`cancel_requested_at` integer
);
--> statement-breakpoint
CREATE INDEX `jobs_by_end` ON `jobs` (`state`,`ended_at`);--> statement-breakpoint
CREATE TABLE `tasks` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`job_id` text NOT NULL,
	`kind` text NOT NULL,
	`state` text NOT NULL,
	`payload` text,
	`run_after` integer NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`deaths` integer DEFAULT 0 NOT NULL,
	`furthest` integer DEFAULT 0 NOT NULL,
	`worker_id` text,
	`lease_epoch` integer DEFAULT 0 NOT NULL,
	`error` text,
	FOREIGN KEY (`job_id`) REFERENCES `jobs`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `tasks_due` ON `tasks` (`state`,`kind`,`run_after`);--> statement-breakpoint
CREATE INDEX `tasks_by_job` ON `tasks` (`job_id`,`state`);--> statement-breakpoint
CREATE INDEX `tasks_by_worker` ON `tasks` (`worker_id`,`state`);--> statement-breakpoint
CREATE TABLE `workers` (
	`id` text PRIMARY KEY NOT NULL,
	`beat` integer DEFAULT 0 NOT NULL,
	`beat_at` integer NOT NULL,
	`started_at` integer NOT NULL,
	`host` text NOT NULL,
	`process` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `upload_parts` (
	`upload_id` text NOT NULL,
	`position` integer NOT NULL,
	`bytes` blob NOT NULL,
	FOREIGN KEY (`upload_id`) REFERENCES `uploads`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `upload_parts_in_order` ON `upload_parts` (`upload_id`,`position`);--> statement-breakpoint
CREATE TABLE `uploads` (
	`id` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`file_name` text,
	`size_bytes` integer DEFAULT 0 NOT NULL,
	`sha256` text,
	`job_id` text,
	`created_by` text NOT NULL,
	`created_at` integer DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)) NOT NULL
);
--> statement-breakpoint
CREATE INDEX `uploads_by_age` ON `uploads` (`created_at`);