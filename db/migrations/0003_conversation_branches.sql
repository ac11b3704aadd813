DELETE FROM `feedback` WHERE EXISTS (
	SELECT 1 FROM `feedback` AS `newer`
	WHERE `newer`.`request_id` = `feedback`.`request_id` AND `newer`.`given_by` = `feedback`.`given_by`
		AND (`newer`.`created_at`, `newer`.`id`) > (`feedback`.`created_at`, `feedback`.`id`)
);--> statement-breakpoint
DROP INDEX `feedback_by_request`;--> statement-breakpoint
CREATE UNIQUE INDEX `feedback_by_giver` ON `feedback` (`request_id`,`given_by`);--> statement-breakpoint
ALTER TABLE `conversations` ADD `leaf_id` text;--> statement-breakpoint
ALTER TABLE `messages` ADD `parent_id` text;--> statement-breakpoint
UPDATE `messages` SET `parent_id` = (
	SELECT `earlier`.`id` FROM `messages` AS `earlier`
	WHERE `earlier`.`conversation_id` = `messages`.`conversation_id` AND `earlier`.`position` < `messages`.`position`
	ORDER BY `earlier`.`position` DESC LIMIT 1
);
