declare module 'dynalite' {
  import type { Server } from 'node:http';
  /** Times are milliseconds. Without `path` everything stays in memory. */
  export default function dynalite(options: { createTableMs: number; deleteTableMs: number; updateTableMs: number }): Server;
}
