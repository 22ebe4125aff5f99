import { judgedByCondition } from './ready-condition.js';

/** An ExternalSecret is healthy when its Secret was made from what the store holds. */
export const externalSecretHealth = judgedByCondition('Ready', 'it has not been fetched yet');
