CREATE TABLE `metric_rollups` (
	`resolution` text NOT NULL,
	`at` integer NOT NULL,
	`source` text NOT NULL,
	`measured` text NOT NULL,
	PRIMARY KEY(`resolution`, `at`, `source`)
);
