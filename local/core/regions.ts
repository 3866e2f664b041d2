/** Names of Regions of the commercial partition, by their form: which of them exist changes every year. */
const pattern = /^(?:af|ap|ca|eu|il|me|mx|sa|us)-(?:central|(?:north|south)(?:east|west)?|east|west)-[1-9]$/;

/** Whether this could be a Region, e.g. `eu-central-1`. */
export function isRegionName(name: string): boolean {
  return pattern.test(name);
}
