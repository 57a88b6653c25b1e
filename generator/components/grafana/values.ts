import { linkerdDashboards } from "../../catalog/addons.ts";
import { injectKey } from "../../catalog/well-known.ts";
import type { JsonMap } from "../../kubernetes/object.ts";
import type { Context } from "../component.ts";
import { type OwnedValue, owned } from "../owned.ts";
import { revisionAnnotation } from "../pod-template.ts";
import { mergeValues } from "../values.ts";

/**
 * Values of the grafana chart, as Linkerd documents them (linkerd2, grafana/values.yaml and authzpolicy-grafana.yaml).
 * `serve_from_sub_path` must stay off: viz removes /grafana before it forwards a request, so Grafana would redirect
 * forever.
 */
export function grafanaValues(context: Context): JsonMap {
  const { clusterDomain } = context.environment.spec.linkerd;
  return mergeValues(
    injection(context),
    {
      // No user logs in. With an admin account, the chart would generate a new password, and restart the pod, at every
      // render.
      env: { GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: "true" },
      "grafana.ini": {
        server: { root_url: "%(protocol)s://%(domain)s:/grafana/" },
        auth: { disable_login_form: true },
        "auth.anonymous": { enabled: true, org_role: "Editor" },
        "auth.basic": { enabled: false },
        analytics: { check_for_updates: false },
        panels: { disable_sanitize_html: true },
        log: { mode: "console" },
        "log.console": { format: "text", level: "info" },
      },
      datasources: {
        "datasources.yaml": {
          apiVersion: 1,
          datasources: [
            {
              name: "prometheus",
              type: "prometheus",
              access: "proxy",
              orgId: 1,
              url: `http://prometheus.linkerd-viz.svc.${clusterDomain}:9090`,
              isDefault: true,
              jsonData: { timeInterval: "5s" },
              editable: true,
            },
          ],
        },
      },
      dashboardProviders: {
        "dashboardproviders.yaml": {
          apiVersion: 1,
          providers: [
            {
              name: "default",
              orgId: 1,
              folder: "",
              type: "file",
              disableDeletion: false,
              editable: true,
              options: { path: "/var/lib/grafana/dashboards/default" },
            },
          ],
        },
      },
      dashboards: { default: dashboards() },
      extraObjects: [prometheusAccess],
    },
    images(context),
  );
}

/**
 * Chart values that overrides must not replace: the values for injection, because viz's policy admits Grafana's
 * identity, and those for mirrored images.
 */
export function ownedGrafanaValues(context: Context): OwnedValue[] {
  return [...owned(injection(context), "linkerd.viz.grafana"), ...owned(images(context), "azure.registry.mirrorImages")];
}

function injection({ identity }: Context): JsonMap {
  return { podAnnotations: { [injectKey]: "enabled", ...revisionAnnotation(identity.revision()) } };
}

function images({ mirror }: Context): JsonMap {
  return mirror === null ? {} : { image: { registry: mirror }, downloadDashboardsImage: { registry: mirror } };
}

function dashboards(): JsonMap {
  return Object.fromEntries(
    Object.entries(linkerdDashboards).map(([name, { gnetId, revision }]) => [
      name,
      { gnetId, revision, datasource: "prometheus" },
    ]),
  );
}

/** Lets Grafana read Prometheus. Viz's own policy admits only metrics-api. */
const prometheusAccess: JsonMap = {
  apiVersion: "policy.linkerd.io/v1alpha1",
  kind: "AuthorizationPolicy",
  metadata: { name: "grafana", namespace: "linkerd-viz" },
  spec: {
    targetRef: { group: "policy.linkerd.io", kind: "Server", name: "prometheus-admin" },
    requiredAuthenticationRefs: [{ kind: "ServiceAccount", name: "grafana", namespace: "grafana" }],
  },
};
