import { imagePath } from "../catalog/image.ts";
import { plural } from "../system/text.ts";
import type { ComponentModel } from "./model.ts";

/** What a component brings, in a few words: its chart, its Secrets, its image, or how many objects. */
export function contentsOf({ release, secrets, resources, images: [image] }: ComponentModel): string {
  if (release !== null) return `${release.chart} ${release.version}`;
  if (secrets.length > 0) return plural(secrets.length, "encrypted Secret");
  if (image !== undefined) return `${imagePath(image.name)} ${image.tag}`;
  return plural(Object.values(resources).flat().length, "object");
}
