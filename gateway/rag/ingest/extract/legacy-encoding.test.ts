import { expect, test } from "bun:test";
import { AppError } from "../../../../lib/errors";
import { decodeText } from "./decode-text";

/** Bytes by character, from what the decoder does with each sequence of one or two bytes. */
const bytesOf = (label: string): Map<string, number[]> => {
  const decoder = new TextDecoder(label as Bun.Encoding, { fatal: true });
  const found = new Map<string, number[]>();
  const add = (bytes: number[]) => {
    try {
      const text = decoder.decode(Uint8Array.from(bytes));
      if ([...text].length === 1 && !found.has(text)) found.set(text, bytes);
    } catch {
      // Not a character of this encoding.
    }
  };
  for (let first = 0; first < 256; first++) add([first]);
  for (let first = 0x81; first < 255; first++) for (let second = 0x40; second < 255; second++) add([first, second]);
  return found;
};

const encode = (label: string, text: string): Uint8Array => {
  const bytes = bytesOf(label);
  return Uint8Array.from(
    [...text].flatMap((character) => {
      const found = bytes.get(character);
      if (!found) throw new Error(`${label} has no ${character}.`);
      return found;
    }),
  );
};

const SIMPLIFIED = "每位员工每年享有二十五天带薪年假。请提前两周向部门经理提交申请,经批准后方可休假。";
const TRADITIONAL = "每位員工每年享有二十五天帶薪年假。請提前兩週向部門經理提交申請,經批准後方可休假。";
const JAPANESE = "従業員は毎年25日の有給休暇を取得できます。休暇の二週間前までに申請してください。";
const KOREAN = "모든 직원은 매년 이십오 일의 유급 휴가를 받습니다. 휴가 이 주 전에 신청하세요.";
const RUSSIAN = "Каждый сотрудник получает двадцать пять дней оплачиваемого отпуска. Подайте заявление за две недели.";

test.each([
  ["gbk", SIMPLIFIED],
  ["gbk", "Groundwire 版本说明: this release fixes the cache"],
  ["big5", TRADITIONAL],
  ["shift_jis", JAPANESE],
  ["shift_jis", "コンピュータのメモリとネットワークの設定"],
  ["euc-jp", JAPANESE],
  ["euc-kr", KOREAN],
  ["windows-1251", RUSSIAN],
  ["windows-1251", "The form for holidays (отпуск) is called заявление in the handbook."],
  ["windows-1251", "Кожен працівник отримує двадцять п'ять днів оплачуваної відпустки на рік."],
  ["windows-1251", "Всеки служител получава двадесет и пет дни платен отпуск годишно."],
  ["koi8-r", RUSSIAN],
  ["ibm866", RUSSIAN],
  ["iso-8859-5", RUSSIAN],
  ["windows-1252", "Les employés ont vingt-cinq jours de congé payé dès l'été. «Voilà» – où ça? Créée."],
  ["windows-1252", "Für größere Änderungen: Übungen überprüfen. Füße."],
  ["windows-1252", "El niño comió piña en España. ¿Cómo está? ¡Año nuevo!"],
  ["windows-1252", "Työntekijä saa vuosittain kaksikymmentäviisi päivää lomaa. Hae lomaa hyvissä ajoin."],
  ["windows-1252", "Þetta er íslenskur texti með áhugaverðum stöfum, það eru ýmsir."],
  ["windows-1252", "The wall loses 0.2 W/m²K at 20 °C ± 1, “about” £5 — or €6."],
])("undeclared %s is recognized: %s", (label, text) => {
  expect(decodeText(encode(label, text))).toBe(text);
});

test.each([
  ["windows-1250", "Każdy pracownik otrzymuje dwadzieścia pięć dni płatnego urlopu. Było to łatwe."],
  ["windows-1250", "Příliš žluťoučký kůň úpěl ďábelské ódy."],
  ["windows-1253", "Κάθε εργαζόμενος δικαιούται είκοσι πέντε ημέρες άδειας."],
  ["windows-1254", "Her çalışan yılda yirmi beş gün ücretli izin alır."],
  ["windows-1255", "כל עובד מקבל עשרים וחמישה ימי חופשה"],
  ["windows-1256", "يحصل كل موظف على خمسة وعشرين يوم إجازة"],
  ["windows-874", "พนักงานทุกคนได้รับวันหยุด"],
  ["gbk", "See 中文 for details."],
])("undeclared %s is refused instead of stored as other characters: %s", (label, text) => {
  expect(() => decodeText(encode(label, text))).toThrow(AppError);
  expect(() => decodeText(encode(label, text))).toThrow(/UTF-8/);
});

test("a text that is cut within a character is not stored as other characters", () => {
  expect(() => decodeText(encode("gbk", SIMPLIFIED).subarray(0, -1))).toThrow(/UTF-8/);
});
