import { judgedByCondition } from './ready-condition.js';

/** A SealedSecret is healthy when its Secret was made. */
export const sealedSecretHealth = judgedByCondition('Synced', 'it has not been decrypted yet');
