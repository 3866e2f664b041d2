import type { DatabaseAddress } from './connection-string.ts';

/**
 * Connects to a database as the connection string says, asks it for nothing but an answer, and closes the connection.
 *
 * @throws CordonError KEY_REFUSED: the database was reached and does not take this, or may not be called at all; DATABASE_UNAVAILABLE (retryable): it did not
 *   answer, or cannot now. Neither holds a word of the connection string or of the server.
 */
export type CheckDatabase = (address: DatabaseAddress) => Promise<void>;
