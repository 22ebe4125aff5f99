import type { WishKind } from './wish-kind.js';

/** Orders that are understood and that nothing carries out yet: they are refused with these words. */
export const unsupportedOrders: readonly WishKind[] = ['sleep', 'wake'];
