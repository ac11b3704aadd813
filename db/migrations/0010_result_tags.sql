CREATE TABLE `result_tags` (
	`run_id` text NOT NULL,
	`tag` text NOT NULL,
	`position` integer NOT NULL,
	`repeat` integer NOT NULL,
	PRIMARY KEY(`run_id`, `tag`, `position`, `repeat`),
	FOREIGN KEY (`run_id`) REFERENCES `runs`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
INSERT INTO `result_tags` SELECT results.run_id, tags.value, results.position, results.repeat FROM runs JOIN results ON results.run_id = runs.id JOIN samples ON samples.id = results.sample_id, json_each(samples.tags) AS tags WHERE runs.settings IS NOT NULL GROUP BY 1, 2, 3, 4;
