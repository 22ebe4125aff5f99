/** True for an address that carries what it is given in clear over a network: http, and not this machine. */
export function isClearText(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

export const tokenInClear =
  'http:// would send its token in clear over the network. Use https://, or leave the token out.';
