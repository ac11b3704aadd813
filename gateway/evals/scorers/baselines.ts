// LOCAL STUB
export const CORRECTNESS_BASELINES: Record<string, any> = {
  contains: (a: any) => Number(a.references.some((r: string) => a.output.toLowerCase().includes(r.toLowerCase()))),
};
export const FAITHFULNESS_BASELINES: Record<string, any> = { length: (a: any) => -a.output.length };
