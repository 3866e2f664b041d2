/** The least a proxy can do: replace one header and pass everything on, with undici's dispatcher. */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const { Agent } = createRequire(new URL('../package.json', import.meta.url))('undici');
const agent = new Agent({ connections: 64, pipelining: 1 });
const origin = process.env.PROVIDER_URL;

const server = createServer((request, response) => {
  const headers = { ...request.headers, authorization: 'Bearer sk-bench-0123456789abcdef' };
  for (const name of ['host', 'connection', 'keep-alive', 'transfer-encoding']) delete headers[name];
  agent.dispatch(
    { origin, path: request.url.replace('/v1/proxy/openai', '/v1'), method: request.method, headers, body: request },
    {
      onRequestStart() {},
      onResponseStart(_controller, statusCode, answered) {
        response.writeHead(statusCode, answered);
      },
      onResponseData(_controller, chunk) {
        response.write(chunk);
      },
      onResponseEnd() {
        response.end();
      },
      onResponseError() {
        response.destroy();
      },
    },
  );
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.({ port: server.address().port }));
