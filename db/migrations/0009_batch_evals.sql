ALTER TABLE `results` ADD `position` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `results` ADD `deaths` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `results` ADD `sequence` integer;--> statement-breakpoint
ALTER TABLE `results` ADD `overall` real;--> statement-breakpoint
ALTER TABLE `results` ADD `latency_ms` real;--> statement-breakpoint
ALTER TABLE `results` ADD `ended_at` integer;--> statement-breakpoint
CREATE INDEX `results_in_order` ON `results` (`run_id`,`position`,`repeat`);--> statement-breakpoint
CREATE INDEX `results_open` ON `results` (`run_id`,`position`,`repeat`) WHERE state IN ('pending', 'running');--> statement-breakpoint
CREATE INDEX `results_with_errors` ON `results` (`run_id`,`position`,`repeat`) WHERE state = 'error';--> statement-breakpoint
CREATE INDEX `results_by_verdict` ON `results` (`run_id`,`passed`,`position`,`repeat`);--> statement-breakpoint
CREATE INDEX `results_by_failure` ON `results` (`run_id`,`failure`,`position`,`repeat`) WHERE failure IS NOT NULL;--> statement-breakpoint
CREATE INDEX `results_by_end` ON `results` (`run_id`,`sequence`) WHERE sequence IS NOT NULL;--> statement-breakpoint
CREATE INDEX `results_by_overall` ON `results` (`run_id`,`overall`);--> statement-breakpoint
CREATE INDEX `results_by_latency` ON `results` (`run_id`,`latency_ms`);--> statement-breakpoint
ALTER TABLE `runs` ADD `settings` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `progress` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `job_id` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `recompute_job_id` text;--> statement-breakpoint
CREATE INDEX `runs_by_job` ON `runs` (`job_id`);