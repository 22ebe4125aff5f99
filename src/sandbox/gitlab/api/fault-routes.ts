import express, { Router } from 'express';
import { z } from 'zod';
import { type FaultSwitch, faultKinds } from '../faults.js';

const faultShape = z.strictObject({
  kind: z.enum(faultKinds),
  method: z.string().optional(),
  path: z.string().optional(),
  count: z.int().positive().optional(),
  ms: z.int().nonnegative().optional(),
  retryAfterSeconds: z.int().nonnegative().optional(),
});

/** `/-/sandbox/faults`: GET lists, POST switches one on, DELETE (with or without a number) switches off. */
export function createFaultRoutes(faults: FaultSwitch): Router {
  const router = Router();
  router.get('/', (_request, response) => {
    response.json(faults.list());
  });
  router.post('/', express.json(), (request, response) => {
    const parsed = faultShape.safeParse(request.body);
    if (!parsed.success) {
      response.status(400).json({ message: z.prettifyError(parsed.error) });
      return;
    }
    response.status(201).json({ id: faults.add(parsed.data) });
  });
  router.delete('/', (_request, response) => {
    faults.clear();
    response.status(204).end();
  });
  router.delete('/:faultId', (request, response) => {
    faults.remove(Number(request.params.faultId));
    response.status(204).end();
  });
  return router;
}
