/** The form that asks for a connection. */
import type { ConnectionRequest } from './api.ts';
import { byId, element, mark } from './elements.ts';
import { createdLines, serviceTexts } from './words.ts';

/** Regions that every AWS account has without opting in; others can be typed. Source: AWS Regions and Availability Zones, "Regions". */
const usualRegions = [
  'us-east-1',
  'us-east-2',
  'us-west-2',
  'ca-central-1',
  'eu-central-1',
  'eu-north-1',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'ap-northeast-1',
  'ap-south-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'sa-east-1',
];
const maxRegions = 10;

/** @param submit resolves true when the request was taken and the form may be emptied */
export function setUpConnectForm(submit: (request: ConnectionRequest) => Promise<boolean>): void {
  const form = byId('connect-form', HTMLFormElement);
  const account = byId('account', HTMLInputElement);
  const services = byId('services', HTMLFieldSetElement);
  const regions = byId('regions', HTMLFieldSetElement);
  const otherRegions = byId('other-regions', HTMLInputElement);
  const environment = byId('environment', HTMLInputElement);
  const dataClasses = byId('data-classes', HTMLInputElement);
  const created = byId('created', HTMLUListElement);

  services.append(...Object.entries(serviceTexts).map(([name, { name: label, may }]) => choice('service', name, `${label}: ${may}`)));
  byId('region-choices', HTMLElement).append(...usualRegions.map((region) => choice('region', region, region)));

  const chosen = () => {
    return { services: checked(services), regions: [...new Set([...checked(regions), ...listed(otherRegions)])] };
  };
  const describe = (): void => {
    const { services, regions } = chosen();
    created.replaceChildren(...createdLines(services, regions).map((line) => element('li', {}, line)));
  };
  form.addEventListener('input', describe);
  describe();

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const classes = listed(dataClasses);
    const request = {
      ...chosen(),
      customerAccountId: account.value.replace(/[\s-]/g, ''),
      environment: environment.value.trim(),
      ...(classes.length > 0 && { dataClasses: classes }),
    };
    if (showProblems(request)) return;
    const send = form.querySelector('button');
    if (send) send.disabled = true;
    void submit(request)
      .then((taken) => {
        if (taken) form.reset();
        describe();
      })
      .finally(() => {
        if (send) send.disabled = false;
      });
  });

  /** True when there are some; the first one gets the focus. */
  function showProblems(request: ConnectionRequest & { readonly environment: string }): boolean {
    const firstBox = (set: HTMLElement): HTMLElement => set.querySelector('input') ?? set;
    const problems: readonly (readonly [HTMLElement, string, string, HTMLElement])[] = [
      [account, 'account-error', /^\d{12}$/.test(request.customerAccountId) ? '' : 'Enter the 12 digits of the AWS account ID.', account],
      [services, 'services-error', request.services.length > 0 ? '' : 'Choose at least one service.', firstBox(services)],
      [regions, 'regions-error', regionProblem(request.regions), firstBox(regions)],
      [environment, 'environment-error', nameProblem([request.environment]), environment],
      [dataClasses, 'data-classes-error', nameProblem(request.dataClasses ?? []), dataClasses],
    ];
    for (const [field, errorId, message] of problems) mark(field, errorId, message);
    const first = problems.find(([, , message]) => message !== '');
    first?.[3].focus();
    return first !== undefined;
  }
}

function choice(group: string, value: string, label: string): HTMLElement {
  const id = `${group}-${value}`;
  const box = element('input', { type: 'checkbox', id, value });
  return element('div', { class: 'choice' }, box, element('label', { for: id }, label));
}

function checked(set: HTMLElement): string[] {
  return [...set.querySelectorAll<HTMLInputElement>('input[type=checkbox]:checked')].map(({ value }) => value);
}

function regionProblem(regions: readonly string[]): string {
  if (regions.length === 0) return 'Choose at least one region.';
  if (regions.length > maxRegions) return `Choose at most ${maxRegions} regions.`;
  const wrong = regions.find((region) => !/^[a-z]{2}(-[a-z]+){1,2}-\d$/.test(region));
  return wrong === undefined ? '' : `${wrong} is no region; a region reads like eu-central-1.`;
}

function nameProblem(names: readonly string[]): string {
  const right = names.every((name) => /^[a-z][a-z0-9-]{0,31}$/.test(name));
  return right ? '' : 'Use lower-case letters, digits and hyphens, beginning with a letter.';
}

/** What was typed, separated by commas or spaces. */
function listed(field: HTMLInputElement): string[] {
  return [...new Set(field.value.toLowerCase().split(/[\s,;]+/))].filter((text) => text !== '');
}
