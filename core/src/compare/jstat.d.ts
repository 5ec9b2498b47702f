declare module "jstat" {
  interface StudentT {
    /** The value below which a share `p` of the distribution with `dof` degrees of freedom lies. */
    inv(p: number, dof: number): number;
  }
  const jStat: { studentt: StudentT };
  export default jStat;
}
