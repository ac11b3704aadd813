ALTER TABLE `samples` ADD `expected_tool_calls` text;--> statement-breakpoint
ALTER TABLE `samples` ADD `tools` text;--> statement-breakpoint
ALTER TABLE `samples` ADD `tool_choice` text;