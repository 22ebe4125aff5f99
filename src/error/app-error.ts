/**
 * What to do about a failure.
 * `retry`: the same call may succeed soon. `wait`: something else must happen first. `stall`: a person must act.
 */
export type Disposition = 'retry' | 'wait' | 'stall';

export interface AppErrorOptions {
  /** Stable, kebab-case; what callers match on. */
  code: string;
  disposition: Disposition;
  /** What happened, to which preview, and what to do; holds no secret and may be shown to anyone. */
  publicMessage: string;
  /** Fields for the log; no secrets. */
  data?: Record<string, unknown>;
  cause?: unknown;
}

/** The one error type of both programs. Match on `code`, never on `message`. */
export class AppError extends Error {
  readonly code: string;
  readonly disposition: Disposition;
  readonly publicMessage: string;
  readonly data: Record<string, unknown>;

  constructor(options: AppErrorOptions) {
    super(options.publicMessage, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = options.code;
    this.disposition = options.disposition;
    this.publicMessage = options.publicMessage;
    this.data = options.data ?? {};
  }
}

export function isAppError(error: unknown, code?: string): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}
