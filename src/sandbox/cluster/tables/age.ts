import { timestamp } from '../object.js';

/** How long ago, as kubectl writes it: `5s`, `3m12s`, `17m`, `4h20m`, `3d`. */
export function age(since: string | undefined, until: string = timestamp()): string {
  if (since === undefined) return '<unknown>';
  return duration((Date.parse(until) - Date.parse(since)) / 1000);
}

function duration(totalSeconds: number): string {
  const seconds = Math.max(0, Math.floor(totalSeconds));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (seconds < 120) return `${seconds}s`;
  if (minutes < 10) return both(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  if (hours < 8) return both(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  if (days < 8) return both(days, 'd', hours % 24, 'h');
  if (days < 730) return `${days}d`;
  return `${Math.floor(days / 365)}y`;
}

function both(high: number, highUnit: string, low: number, lowUnit: string): string {
  return low === 0 ? `${high}${highUnit}` : `${high}${highUnit}${low}${lowUnit}`;
}
