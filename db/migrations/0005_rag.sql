CREATE TABLE `chunk_vectors` (
	`chunk_id` text PRIMARY KEY NOT NULL,
	`vector` blob NOT NULL,
	FOREIGN KEY (`chunk_id`) REFERENCES `chunks`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `chunks` (
	`id` text PRIMARY KEY NOT NULL,
	`build_id` text NOT NULL,
	`position` integer NOT NULL,
	`start` integer NOT NULL,
	`end` integer NOT NULL,
	`page` integer,
	`heading` text,
	`tokens` integer NOT NULL,
	`sha256` text NOT NULL,
	`text` text NOT NULL,
	`search_text` text NOT NULL,
	FOREIGN KEY (`build_id`) REFERENCES `document_builds`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `chunks_in_order` ON `chunks` (`build_id`,`position`);--> statement-breakpoint
CREATE TABLE `document_builds` (
	`id` text PRIMARY KEY NOT NULL,
	`index_id` text NOT NULL,
	`version` integer NOT NULL,
	`document_id` text NOT NULL,
	`state` text NOT NULL,
	`job_id` text NOT NULL,
	`content_hash` text NOT NULL,
	`revision` integer,
	`chunks` integer DEFAULT 0 NOT NULL,
	`tokens` integer DEFAULT 0 NOT NULL,
	`size_bytes` integer DEFAULT 0 NOT NULL,
	FOREIGN KEY (`index_id`) REFERENCES `indexes`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `document_builds_visible` ON `document_builds` (`index_id`,`version`,`document_id`) WHERE state = 'visible';--> statement-breakpoint
CREATE INDEX `document_builds_by_revision` ON `document_builds` (`index_id`,`version`,`revision`);--> statement-breakpoint
CREATE INDEX `document_builds_by_document` ON `document_builds` (`index_id`,`document_id`);--> statement-breakpoint
CREATE INDEX `document_builds_by_state` ON `document_builds` (`state`,`job_id`);--> statement-breakpoint
CREATE TABLE `document_texts` (
	`index_id` text NOT NULL,
	`document_id` text NOT NULL,
	`hash` text NOT NULL,
	`pages` text NOT NULL,
	`text` text NOT NULL,
	PRIMARY KEY(`index_id`, `document_id`, `hash`),
	FOREIGN KEY (`index_id`,`document_id`) REFERENCES `documents`(`index_id`,`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `documents` (
	`index_id` text NOT NULL,
	`id` text NOT NULL,
	`title` text NOT NULL,
	`source` text,
	`media_type` text NOT NULL,
	`metadata` text NOT NULL,
	`state` text NOT NULL,
	`error` text,
	`content_hash` text,
	`file_hash` text,
	`characters` integer DEFAULT 0 NOT NULL,
	`pending` text,
	`pending_hash` text,
	`upload_id` text,
	`job_id` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)) NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`index_id`, `id`),
	FOREIGN KEY (`index_id`) REFERENCES `indexes`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `documents_by_source` ON `documents` (`index_id`,`source`);--> statement-breakpoint
CREATE INDEX `documents_by_file` ON `documents` (`index_id`,`file_hash`);--> statement-breakpoint
CREATE INDEX `documents_by_pending` ON `documents` (`index_id`,`pending_hash`);--> statement-breakpoint
CREATE INDEX `documents_by_age` ON `documents` (`index_id`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `documents_by_state` ON `documents` (`index_id`,`state`);--> statement-breakpoint
CREATE INDEX `documents_by_job` ON `documents` (`job_id`,`state`);--> statement-breakpoint
CREATE INDEX `documents_by_upload` ON `documents` (`upload_id`);--> statement-breakpoint
CREATE TABLE `index_versions` (
	`index_id` text NOT NULL,
	`version` integer NOT NULL,
	`state` text NOT NULL,
	`embedding_model` text NOT NULL,
	`embedding_model_revision` text NOT NULL,
	`dimension` integer NOT NULL,
	`chunker` text NOT NULL,
	`chunk_tokens` integer NOT NULL,
	`overlap_tokens` integer NOT NULL,
	`job_id` text,
	`error` text,
	`created_at` integer DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)) NOT NULL,
	`activated_at` integer,
	PRIMARY KEY(`index_id`, `version`),
	FOREIGN KEY (`index_id`) REFERENCES `indexes`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `indexes` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`retrieval` text NOT NULL,
	`revision` integer DEFAULT 1 NOT NULL,
	`active_version` integer DEFAULT 1 NOT NULL,
	`ingestion_job_id` text,
	`created_by` text NOT NULL,
	`created_at` integer DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)) NOT NULL,
	`updated_at` integer NOT NULL,
	`deleted_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `indexes_by_name` ON `indexes` (`name`) WHERE deleted_at IS NULL;--> statement-breakpoint
ALTER TABLE `workers` ADD `token_hash` blob;