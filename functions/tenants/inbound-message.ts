import { type DetailParsers, parserOf } from '../shared/inbound-message.ts';
import {
  type CredentialRequested,
  type HoneyRequested,
  inboundEvents,
  type RoutingRulesChanged,
  type TenantOnboarded,
  type UserOnboarded,
} from './events.ts';

/** A message that is what its schema says. */
export type InboundEvent =
  | { readonly type: 'TenantOnboarded'; readonly detail: TenantOnboarded }
  | { readonly type: 'UserOnboarded'; readonly detail: UserOnboarded }
  | { readonly type: 'CredentialRequested'; readonly detail: CredentialRequested }
  | { readonly type: 'RoutingRulesChanged'; readonly detail: RoutingRulesChanged }
  | { readonly type: 'HoneyRequested'; readonly detail: HoneyRequested };

export const parsers: DetailParsers<InboundEvent> = {
  TenantOnboarded: parserOf('TenantOnboarded', inboundEvents.TenantOnboarded),
  UserOnboarded: parserOf('UserOnboarded', inboundEvents.UserOnboarded),
  CredentialRequested: parserOf('CredentialRequested', inboundEvents.CredentialRequested),
  RoutingRulesChanged: parserOf('RoutingRulesChanged', inboundEvents.RoutingRulesChanged),
  HoneyRequested: parserOf('HoneyRequested', inboundEvents.HoneyRequested),
};
