/** The world outside AWS, on one loopback server: provider simulators and the platform's identity provider. */
import type { Clock } from '../core/clock.ts';
import { listen, sendJson } from './http.ts';
import { createOidcIssuer, type OidcIssuer, oidcBasePath } from './oidc.ts';
import { createOpenAi, type OpenAiSimulator, type TakeFault } from './openai.ts';

export interface World {
  readonly port: number;
  readonly oidc: OidcIssuer;
  readonly openai: OpenAiSimulator;
  /** E.g. `http://127.0.0.1:41234/openai/v1`. */
  readonly openAiBaseUrl: string;
  close(): Promise<void>;
}

/** Listens on `port` (0 picks one) and resolves when it answers. */
export async function startWorld({ clock, takeFault, port = 0 }: { clock: Clock; takeFault: TakeFault; port?: number }): Promise<World> {
  const openai = createOpenAi({ clock, takeFault });
  let oidc: OidcIssuer | undefined;
  const listening = await listen((request, response) => {
    const path = request.url ?? '/';
    if (path.startsWith(`${openai.basePath}/`)) {
      openai.handle(request, response).catch((error: unknown) => {
        sendJson(response, 500, {
          error: { message: `The simulator failed: ${String(error)}`, type: 'server_error', param: null, code: null },
        });
      });
    } else if (oidc !== undefined && path.startsWith(`${oidcBasePath}/`)) oidc.handle(request, response);
    else sendJson(response, 404, { error: { message: `Nothing is served at ${path}.` } });
  }, port);
  oidc = await createOidcIssuer({ clock, origin: listening.origin });
  return { port: listening.port, oidc, openai, openAiBaseUrl: `${listening.origin}${openai.basePath}`, close: () => listening.close() };
}
