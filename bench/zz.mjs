import { constant, input } from "@proximal/core";
import { lower, Session } from "@proximal/onnx";
import { Tensor } from "onnxruntime-node";
const threads=Number(process.argv[2]??2);
const rnd=(shape)=>new Tensor("float32",Float32Array.from({length:shape.reduce((a,b)=>a*b,1)},(_, i)=>Math.sin(i)),shape);
async function time(name,outputs,feeds,flops,opt={}){
  const s=await Session.create(lower({outputs}),{provider:"cpu",threads,...opt});
  let best=1e9;const t=[];
  const f=Object.fromEntries(Object.entries(outputs).map(([k,v])=>[k,new Tensor("float32",new Float32Array(v.shape.reduce((a,b)=>a*b,1)),v.shape)]));
  for(let i=0;i<Number(process.env.N??200);i++){const st=performance.now();await s.run(feeds,f);const d=performance.now()-st;t.push(d);}
  t.sort((a,b)=>a-b);
  console.log(name.padEnd(40),"min",t[0].toFixed(3),"med",t[t.length>>1].toFixed(3),"ms", (flops/t[0]/1e6).toFixed(1),"GF/s", (flops/t[t.length>>1]/1e6).toFixed(1));
  await s.release();
}
for (const [M,K,Nn] of [[64,384,1024],[64,1024,384],[64,384,4096],[16,576,1536],[16,576,49152],[2216,384,1024],[64,128,384]]){
  const x=input("x",[M,K]), w=input("w",[Nn,K]), wt=input("wt",[K,Nn]);
  const fl=2*M*K*Nn;
  await time(`x Wt (transB) ${M}x${K}x${Nn}`,{y:x.matmul(w,{transposeB:true})},{x:rnd([M,K]),w:rnd([Nn,K])},fl);
  await time(`x W (plain)`,{y:x.matmul(wt)},{x:rnd([M,K]),wt:rnd([K,Nn])},fl);
  await time(`W xt (transB)`,{y:w.matmul(x,{transposeB:true})},{x:rnd([M,K]),w:rnd([Nn,K])},fl);
  await time(`(W xt)t`,{y:w.matmul(x,{transposeB:true}).transpose([1,0])},{x:rnd([M,K]),w:rnd([Nn,K])},fl);
  const xt=input("xt",[K,M]);
  await time(`W x' (plain)`,{y:w.matmul(xt)},{xt:rnd([K,M]),w:rnd([Nn,K])},fl);
}
