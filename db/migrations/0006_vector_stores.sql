ALTER TABLE `document_builds` ADD `vector_store` text;--> statement-breakpoint
CREATE INDEX `document_builds_by_store` ON `document_builds` (`state`,`vector_store`,`index_id`,`version`);