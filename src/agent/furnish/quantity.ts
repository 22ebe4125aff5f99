const suffixes: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

const mebibyte = 2 ** 20;

/** The value of a Kubernetes quantity that is not negative (`500m` is 0.5, `1Ki` 1024); null for any other text. */
export function parseQuantity(text: string): number | null {
  const match = /^(\d{1,15}(?:\.\d{1,9})?|\.\d{1,9})(?:e(\d{1,2})|([a-zA-Z]{0,2}))$/.exec(text);
  const [, digits = '', exponent, suffix = ''] = match ?? [];
  const factor = exponent === undefined ? suffixes[suffix] : 10 ** Number(exponent);
  return match === null || factor === undefined ? null : Number(digits) * factor;
}

/** The lesser of two quantities as it was written; one that is absent, or no quantity, bounds nothing. */
export function lesserQuantity(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return (parseQuantity(one) ?? Number.POSITIVE_INFINITY) <= (parseQuantity(other) ?? Number.POSITIVE_INFINITY)
    ? one
    : other;
}

/** A part of an amount of CPU, in whole thousandths: at least one. */
export function partOfCpu(total: string, parts: number): string {
  return `${Math.max(1, Math.floor(((parseQuantity(total) ?? 0) * 1_000) / parts))}m`;
}

/** A part of an amount of memory, in whole mebibytes: at least one. */
export function partOfMemory(total: string, parts: number): string {
  return `${Math.max(1, Math.floor((parseQuantity(total) ?? 0) / parts / mebibyte))}Mi`;
}
