import { parentPort } from 'node:worker_threads';
import { isAppError } from '../error/app-error.js';
import { type ParseAnswer, type ParseRequest, parseDocuments } from './source/parse-documents.js';

// The thread in which large sources are parsed: one request, one answer. What is no refusal ends it.
parentPort?.on('message', (request: ParseRequest) => parentPort?.postMessage(answerOf(request)));

function answerOf(request: ParseRequest): ParseAnswer {
  try {
    return { json: JSON.stringify(parseDocuments(request)) };
  } catch (error) {
    if (!isAppError(error)) throw error;
    const { code, disposition, publicMessage, data } = error;
    return { refusal: { code, disposition, publicMessage, data } };
  }
}
