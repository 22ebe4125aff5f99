/** One line without control and direction characters, cut to a number of characters, never inside a pair. */
export function cleanText(text: string, maxLength: number): string {
  // Cut first: a megabyte of it is not worth a pass of the expressions.
  const plain = text
    .slice(0, maxLength * 4)
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu, '')
    .trim();
  return Array.from(plain).slice(0, maxLength).join('');
}
