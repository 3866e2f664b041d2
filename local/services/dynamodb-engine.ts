/**
 * Where items are kept: one dynalite per account, in memory. Requests are handed to its request listener directly, without a socket, so that
 * nothing on this machine reaches tables past IAM. A lock lets plain operations run side by side and a transaction alone.
 */
import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import dynalite from 'dynalite';
import { AwsError } from '../core/aws-error.ts';

export type Json = Readonly<Record<string, unknown>>;
/** Sends one DynamoDB operation to dynalite. Throws AwsError with the members that came with it. */
export type Send = (operation: string, input: object) => Promise<Json>;

export interface Engine {
  /** Runs beside other plain work, but never within a transaction. */
  shared<T>(work: (send: Send) => Promise<T>): Promise<T>;
  /** Runs alone: nobody sees what happens in between. */
  exclusive<T>(work: (send: Send) => Promise<T>): Promise<T>;
}

export function createEngine(): Engine {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  const send: Send = (operation, input) => request(server, operation, input);
  const lock = createLock();
  return { shared: (work) => lock(false, () => work(send)), exclusive: (work) => lock(true, () => work(send)) };
}

function request(server: Server, operation: string, input: object): Promise<Json> {
  return new Promise((resolve, reject) => {
    const incoming = Object.assign(new EventEmitter(), {
      method: 'POST',
      url: '/',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${operation}`,
        'x-amz-date': '20260101T000000Z',
        // dynalite asks for the parts of a signature and checks none: the core has authenticated the caller.
        authorization: 'AWS4-HMAC-SHA256 Credential=local, Signature=local, SignedHeaders=host',
      },
    });
    const outgoing = {
      statusCode: 200,
      setHeader: () => {},
      end(text: string) {
        try {
          const body: unknown = JSON.parse(text === '' ? '{}' : text);
          if (!isJson(body)) throw new TypeError(`dynalite answered ${operation} with no object`);
          if (outgoing.statusCode < 400) resolve(body);
          else reject(errorOf(body, outgoing.statusCode));
        } catch (error) {
          reject(error);
        }
      },
    };
    server.emit('request', incoming, outgoing);
    incoming.emit('data', Buffer.from(JSON.stringify(input)));
    incoming.emit('end');
  });
}

function errorOf(body: Json, status: number): AwsError {
  const { __type: type, message, Message, ...extra } = body;
  const code = typeof type === 'string' ? (type.split('#').at(-1) ?? type) : 'InternalServerError';
  const text = [message, Message].find((candidate) => typeof candidate === 'string');
  return new AwsError(code, typeof text === 'string' ? text : '', status, extra);
}

/** First come, first served: work that must run alone waits for what runs, and holds up what comes after it. */
function createLock(): <T>(alone: boolean, work: () => Promise<T>) => Promise<T> {
  let running = 0;
  let isAlone = false;
  const waiting: { alone: boolean; start: () => void }[] = [];
  const admit = (): void => {
    for (let next = waiting[0]; next !== undefined && !isAlone && (!next.alone || running === 0); next = waiting[0]) {
      waiting.shift();
      running += 1;
      isAlone = next.alone;
      next.start();
    }
  };
  return async (alone, work) => {
    await new Promise<void>((start) => {
      waiting.push({ alone, start });
      admit();
    });
    try {
      return await work();
    } finally {
      running -= 1;
      isAlone = false;
      admit();
    }
  };
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
