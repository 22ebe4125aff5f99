import { type DestinationStream, type Logger, pino } from 'pino';
import { maskLine } from './mask-line.js';
import { redacted, type Secrets } from './secrets.js';
import { serializeError } from './serialize-error.js';

export type { Logger } from 'pino';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export type LogLevel = (typeof logLevels)[number];

export interface LoggerOptions {
  level: LogLevel;
  /** The program: `manager`, `agent`, `sandbox`. */
  name: string;
  /** Values that are replaced wherever they occur in a line. */
  secrets?: Secrets;
  /** Where lines go; default standard output. */
  destination?: DestinationStream;
}

/** Fields that never show their value, at the top of a line and up to two levels below. */
const secretFields = [
  'token',
  'tokens',
  'secret',
  'password',
  'authorization',
  'Authorization',
  'cookie',
  'webhookSecret',
  'signingToken',
  '["private-token"]',
  '["PRIVATE-TOKEN"]',
  '["x-gitlab-token"]',
  '["X-Gitlab-Token"]',
];

/**
 * The process's logger: one JSON object a line, time stamps in UTC. Secrets are kept out twice: by the name of the
 * field, and by every value that `secrets` knows, wherever it occurs.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { secrets } = options;
  return pino(
    {
      level: options.level,
      name: options.name,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretFields.flatMap(pathsOf), censor: redacted },
      serializers: { err: serializeError, error: serializeError },
      ...(secrets ? { hooks: { streamWrite: (line: string) => maskLine(secrets, line) } } : {}),
    },
    options.destination ?? pino.destination({ fd: 1, sync: true }),
  );
}

function pathsOf(field: string): string[] {
  const dotted = field.startsWith('[') ? field : `.${field}`;
  return [field, `*${dotted}`, `*.*${dotted}`];
}
