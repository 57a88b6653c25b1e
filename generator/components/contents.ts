import { imagePath } from "../catalog/image.ts";
import { plural } from "../system/text.ts";
import { type ComponentModel, isDelivered, releaseOf } from "./model.ts";

/**
 * Returns a short description of what a component delivers: its chart, its folder, the number of its Secrets, its
 * image, or the number of its objects. If another tool delivers the component, returns the text `managed by another
 * tool`.
 */
export function summaryOf(component: ComponentModel): string {
  const {
    delivery,
    secrets,
    objects,
    images: [image],
  } = component;
  if (!isDelivered(component)) return "managed by another tool";
  const release = releaseOf(component);
  if (release !== null) return `${release.chart} ${release.version}`;
  if (delivery.kind === "folder") return delivery.path;
  if (secrets.length > 0) return plural(secrets.length, "encrypted Secret");
  if (image !== undefined) return `${imagePath(image.name)} ${image.tag}`;
  return plural(Object.values(objects).flat().length, "object");
}
