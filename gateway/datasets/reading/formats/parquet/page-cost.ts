import type { PageHeader, ParquetType } from "hyparquet";

/** For each value of a page: two levels and its number in the dictionary. */
const VALUE_COST = 6;

/** How many values a page or a dictionary states. */
export const statedCount = ({
  data_page_header: v1,
  data_page_header_v2: v2,
  dictionary_page_header: dictionary,
}: PageHeader): number | undefined => (v1 ?? v2 ?? dictionary)?.num_values;

/** Bytes in memory for each value beside the page itself, while the page is open. */
export const valueCost = (header: PageHeader, type: ParquetType): number => {
  if (header.type === "DICTIONARY_PAGE") return type === "BYTE_ARRAY" ? 4 : 64;
  const encoding = (header.data_page_header ?? header.data_page_header_v2)?.encoding;
  const isSplit = encoding === "BYTE_STREAM_SPLIT" && type === "FIXED_LEN_BYTE_ARRAY";
  if (encoding?.endsWith("BYTE_ARRAY") || isSplit) return VALUE_COST + 128;
  const isReadBySlices = encoding?.startsWith("PLAIN") || encoding === "RLE_DICTIONARY";
  return VALUE_COST + (isReadBySlices && type !== "BOOLEAN" ? 0 : 8);
};
