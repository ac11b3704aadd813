"""LlamaIndex's client for OpenAI-compatible servers."""

import json

from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from openai_sdk import City


class Client:
    def __init__(self, base_url: str, key: str, model: str) -> None:
        self.llm = OpenAILike(
            api_base=base_url,
            api_key=key,
            model=model,
            context_window=4096,
            is_chat_model=True,
            is_function_calling_model=True,
            temperature=0,
            max_tokens=48,
            max_retries=0,
        )

    def plain(self, prompt: str) -> str:
        return self.llm.chat([ChatMessage(role="user", content=prompt)]).message.content

    def stream(self, prompt: str) -> str:
        return "".join(chunk.delta or "" for chunk in self.llm.stream_chat([ChatMessage(role="user", content=prompt)]))

    def schema(self, prompt: str) -> dict:
        schema = {"name": "city", "strict": True, "schema": {**City.model_json_schema(), "additionalProperties": False}}
        response_format = {"type": "json_schema", "json_schema": schema}
        answer = self.llm.chat([ChatMessage(role="user", content=prompt)], response_format=response_format)
        return json.loads(answer.message.content)

    def tools(self, prompt: str, run) -> tuple[list[str], str]:
        weather = FunctionTool.from_defaults(run, name="get_weather", description="The current weather in a city")
        messages = [ChatMessage(role="user", content=prompt)]
        asked = self.llm.chat_with_tools([weather], chat_history=messages)
        calls = self.llm.get_tool_calls_from_response(asked, error_on_no_tool_call=False)
        results = [
            ChatMessage(role="tool", content=run(**call.tool_kwargs), additional_kwargs={"tool_call_id": call.tool_id})
            for call in calls
        ]
        answer = self.llm.chat_with_tools([weather], chat_history=[*messages, asked.message, *results])
        return [call.tool_kwargs["city"] for call in calls], answer.message.content

    def image(self, prompt: str, url: str) -> str:
        media_type, data = url.removeprefix("data:").split(";base64,")
        blocks = [TextBlock(text=prompt), ImageBlock(image=data.encode(), image_mimetype=media_type)]
        return self.llm.chat([ChatMessage(role="user", blocks=blocks)]).message.content

    def abort(self, prompt: str) -> str:
        stream = self.llm.stream_chat([ChatMessage(role="user", content=prompt)])
        text = next(chunk.delta for chunk in stream if chunk.delta)
        stream.close()
        return text


connect = Client
