// What the server answers, as `logwatch/export` makes it. Times are Unix seconds, unknown is null.

type Level = "ok" | "warning" | "problem";

interface Finding {
  level: Level;
  what: string;
  check: string;
}

interface Input {
  path: string;
  readable: boolean;
  behind_bytes: number | null;
  behind_seconds: number | null;
  last_packet: number | null;
  rotations: number;
  truncations: number;
}

/** Packets in each step, oldest first; null where the process did not run. */
interface Series {
  policy: string;
  action: "denied" | "logged";
  packets: (number | null)[];
}

interface History {
  start: number;
  step: number;
  series: Series[];
}

/** `recent` has the packets of each of the last 60 minutes; `last` is null when it is longer ago. */
interface Source {
  source: string;
  packets: number;
  bytes: number;
  recent: (number | null)[];
  last: number | null;
  phase: string | null;
  rule: string | null;
}

interface Port {
  protocol: string | null;
  port: number | null;
  service: string | null;
  packets: number;
  recent: (number | null)[];
}

interface Offender {
  source: string;
  rule: string;
  has: number;
  needs: number;
  measure: string;
  window: number | null;
  share: number;
}

interface Ban {
  cidr: string;
  phase: string;
  rule: string | null;
  by: "rule" | "hand";
  reason: string | null;
  since: number | null;
  expires: number | null;
  offence: number | null;
  enforced: boolean;
  undo: string;
}

interface NodeState {
  node: string;
  reported: number | null;
  sources: number;
  cut: number;
  age: number | null;
  state: "reporting" | "silent" | "gone";
}

interface Summary {
  schema: 1;
  role: "agent" | "escalator";
  name: string;
  version: string;
  started: number;
  now: number;
  mode: "observe" | "propose" | "enforce";
  health: { level: Level; findings: Finding[] };
  inputs: Input[];
  lost: { by: string; input: string; messages: number }[];
  lines: Record<string, number>;
  totals: { packets: number; bytes: number; logged: number; sources: number | null };
  history: History;
  interfaces: { interface: string; packets: number }[];
  sources: Source[];
  other_sources: { packets: number };
  ports: Port[];
  offenders: Offender[];
  blacklist: Ban[];
  networks: { decided: number; enforced: number };
  frozen: string | null;
  held: number;
  refused: { reason: string; count: number }[];
  nodes: NodeState[];
  node_states: { reporting?: number; silent?: number; gone?: number };
}

interface NearRule {
  rule: string;
  measure: string;
  has: number;
  needs: number;
  window: number | null;
  share: number;
  hindrance: string | null;
}

interface SourceDetail {
  schema: 1;
  source: string;
  packets: number;
  bytes: number;
  first: number | null;
  last: number | null;
  timeline: { start: number; step: number; packets: (number | null)[] };
  ports: {
    protocol: string | null;
    port: number | null;
    service: string | null;
    packets: number | null;
  }[];
  ports_counted: number | null;
  nodes: { node: string; packets: number }[];
  rules: NearRule[];
  verdict: string;
  stops: string[];
  protected: string | null;
  ban: Ban | null;
  samples: string[];
  commands: { ban: string | null; undo: string | null; why: string | null };
}
