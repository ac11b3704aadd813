CREATE TABLE `cache_namespaces` (
	`name` text PRIMARY KEY NOT NULL,
	`enabled` integer DEFAULT true NOT NULL,
	`key_ids` text DEFAULT '[]' NOT NULL,
	`updated_at` integer NOT NULL
);
