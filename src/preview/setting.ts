/** What `/preview set` may give a value. */
export type SetValue = string | number | boolean;

/** What a value of the configuration may be replaced by. */
export type SettingType = 'integer' | 'number' | 'boolean' | 'text';

/** Keys that `/preview set` may change, each with its type. */
export type Settable = Readonly<Record<string, SettingType>>;

/** Longest text that may be set. */
const maxTextLength = 200;

/** The type that a configured value gives its key; null: a list, a group or nothing, which no command can write. */
export function settingTypeOf(value: unknown): SettingType | null {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? 'integer' : 'number';
  }
  return typeof value === 'boolean' ? 'boolean' : typeof value === 'string' ? 'text' : null;
}

/** Whether a stored value may still stand for a key. */
export function fitsSetting(settable: Settable, key: string, value: SetValue): boolean {
  const type = Object.hasOwn(settable, key) ? settable[key] : undefined;
  return type !== undefined && parseSetting(type, String(value)) === value;
}

/** Reads what a person wrote for a value of a type; undefined: it is none. */
export function parseSetting(type: SettingType, text: string): SetValue | undefined {
  switch (type) {
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'integer':
    case 'number':
      return parseNumber(type, text);
    case 'text':
      return text.length <= maxTextLength && !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text) ? text : undefined;
    default:
      return type satisfies never;
  }
}

/** Words for what a value of a type looks like. */
export function describeSetting(type: SettingType): string {
  switch (type) {
    case 'boolean':
      return 'true or false';
    case 'integer':
      return 'a whole number';
    case 'number':
      return 'a number';
    case 'text':
      return `a text of at most ${maxTextLength} characters without control characters`;
    default:
      return type satisfies never;
  }
}

function parseNumber(type: 'integer' | 'number', text: string): number | undefined {
  if (!/^-?\d{1,15}(?:\.\d{1,15})?$/.test(text)) {
    return undefined;
  }
  const value = Number(text);
  return type === 'number' || Number.isSafeInteger(value) ? value : undefined;
}
