/**
 * Node's HTTP clients by `process.getBuiltinModule`: an `import` of `node:http` makes Node load its own undici too, some 13 ms that a new environment of the broker
 * would wait for (nodejs/node#57649).
 */
const { Agent: HttpAgent, request: requestHttp } = process.getBuiltinModule('node:http');
const { Agent: HttpsAgent, request: requestHttps } = process.getBuiltinModule('node:https');

export { HttpAgent, HttpsAgent, requestHttp, requestHttps };
