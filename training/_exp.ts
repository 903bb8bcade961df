import { pbc } from './recipes/pbc.ts'; import { hivActg175 } from './recipes/hiv-actg175.ts';
import { readRecipeData, prepareManifest, makeCohort, headsOfManifest } from './prepare.ts';
import { fitMember, logEvidence, type FitOptions } from './fit-member.ts';
import { covariateInputCount } from '#packs/manifest-views.ts';
const A=JSON.parse(process.argv[2]??'{}');
const recipe=A.pack==='hiv'?hivActg175:pbc; const data=readRecipeData(recipe);
const ids=[...data.subjects.keys()].filter(id=>data.subjects.get(id)!['split']!=='test'||recipe===pbc);
let tot=0,n=0;
for(const k of A.folds??[0]){
 const inFold=(id:string)=>A.pack==='hiv'?data.subjects.get(id)!['split']==='valid':(+id)%5===k;
 const tr=ids.filter(i=>!inFold(i)),te=ids.filter(inFold);
 const manifest=prepareManifest({...recipe,L:A.L??recipe.L,H:A.H??recipe.H},data,tr);
 const train=makeCohort(recipe,manifest,data,tr),test=makeCohort(recipe,manifest,data,te);
 const {S,L,H,K,V}=manifest.network; const sizes={S,L,H,K,V,C:covariateInputCount(manifest)};
 const heads=headsOfManifest(manifest);
 const opt:FitOptions={sizes,heads,seed:1,...recipe.fit,iterations:A.it??recipe.fit.iterations,learningRate:A.lr??recipe.fit.learningRate,penalty:{...recipe.fit.penalty,...A.p},bootstrap:A.boot??false};
 const t=performance.now();
 const P=fitMember(train,{...opt,onStep:(i,l)=>{if(i%40===0||i===opt.iterations-1)process.stdout.write(` ${i}:${l.toFixed(3)}`)}});
 const sec=(performance.now()-t)/1000;
 const ev=logEvidence(P,test,opt,{draws:A.K??30,fitSteps:50,seed:7});
 const m=ev.reduce((a,b)=>a+b,0)/ev.length; tot+=m*ev.length;n+=ev.length;
 console.log(`\nfold ${k} test evidence/person ${m.toFixed(3)} sec ${sec.toFixed(1)}`);
 if(A.show) for(const nme of ['scaleBias','logObservationScale','tailLogit','tailExcess','hazardX','hazardV','hazardBias','driftV','traitLogScale']) console.log(nme,[...P.view(nme).v].map(x=>x.toFixed(2)).join(' '));
}
console.log(JSON.stringify(A),'mean',(tot/n).toFixed(3));
