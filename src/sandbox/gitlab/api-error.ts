/** An answer that is not a success, with the body that GitLab gives it. */
export class ApiError extends Error {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Record<string, string>;

  constructor(status: number, body: unknown, headers: Record<string, string> = {}) {
    super(`answered with ${status}`);
    this.name = 'ApiError';
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** 404 `{"message":"404 Project Not Found"}`. */
export function notFound(what: string): ApiError {
  return new ApiError(404, { message: `404 ${what} Not Found` });
}

export function forbidden(): ApiError {
  return new ApiError(403, { message: '403 Forbidden' });
}

export function unauthorized(): ApiError {
  return new ApiError(401, { message: '401 Unauthorized' });
}

/** A parameter that is missing or cannot be: `{"error":"title is missing"}`. */
export function badParameter(message: string): ApiError {
  return new ApiError(400, { error: message });
}

/** A request that was understood and cannot be done. */
export function badRequest(message: unknown): ApiError {
  return new ApiError(400, { message });
}

export function conflict(message: unknown): ApiError {
  return new ApiError(409, { message });
}
