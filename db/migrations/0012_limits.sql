CREATE TABLE `limit_usage` (
	`counter` text NOT NULL,
	`leaves_at` integer NOT NULL,
	`amount` integer NOT NULL,
	PRIMARY KEY(`counter`, `leaves_at`)
);
--> statement-breakpoint
CREATE INDEX `limit_usage_by_end` ON `limit_usage` (`leaves_at`);--> statement-breakpoint
ALTER TABLE `keys` ADD `tokens_per_minute` integer;--> statement-breakpoint
ALTER TABLE `keys` ADD `budgets` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `keys` ADD `model_limits` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `keys` ADD `observe_only` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `keys` ADD `on_store_loss` text DEFAULT 'local' NOT NULL;--> statement-breakpoint
ALTER TABLE `keys` ADD `limit_account` text;