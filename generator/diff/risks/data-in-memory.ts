import type { DataInMemory } from "../../components/component.ts";
import { providers } from "../../components/registry.ts";

/** The data that the pods of all components keep only in memory. */
const inMemory: readonly DataInMemory[] = providers.flatMap(({ dataInMemory }) => dataInMemory ?? []);

/** Returns the data that is lost if the pods of a Deployment restart; null if no data is lost. */
export function dataInDeployment(namespace: string, name: string): string | null {
  const found = inMemory.find((each) => each.namespace === namespace && each.deployments.includes(name));
  return found?.data ?? null;
}

/** Returns the data that is lost if a Helm release is uninstalled; null if no data is lost. */
export function dataInRelease(helmRelease: string): string | null {
  return providers.find(({ assessedValues }) => assessedValues?.helmRelease === helmRelease)?.dataInMemory?.data ?? null;
}

/**
 * Returns a text that lists the data that is lost if all pods in the given namespaces restart; an empty text if no data
 * is lost.
 */
export function dataInNamespaces(namespaces: readonly string[]): string {
  return inMemory
    .filter(({ namespace }) => namespaces.includes(namespace))
    .map(({ data }) => data)
    .join(" and ");
}
