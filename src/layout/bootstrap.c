/* For a few minutes only: layouts from DWARF, until the resolver lands and replaces this file. */
#include "layout/layout.h"
#include "symbol/module.h"
#include "symbol/dwarf.h"
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <string.h>
#include <stdio.h>
#include <stdlib.h>
static const char *snames[]={
#define STRUCT(s,t,n) n,
#define FIELD(s,f,n)
#include "layout/fields.def"
#undef STRUCT
#undef FIELD
};
static const char *stitle[]={
#define STRUCT(s,t,n) t,
#define FIELD(s,f,n)
#include "layout/fields.def"
#undef STRUCT
#undef FIELD
};
static const struct {enum scry_struct s; const char*id; const char*n;} F[]={
#define STRUCT(s,t,n)
#define FIELD(s,f,n) {SCRY_S_##s, #s "." #f, n},
#include "layout/fields.def"
#undef STRUCT
#undef FIELD
};
const char *scry_field_name(enum scry_field f){return F[f].id;}
enum scry_struct scry_field_struct(enum scry_field f){return F[f].s;}
const char *scry_struct_name(enum scry_struct s){return stitle[s];}
int scry_layout_from_offsets(struct scry_session *s, scry_addr a, struct scry_layout *l){
 uint64_t v; if(scry_read_uint(s,a+8,8,&v)<0)return -1; memset(l,0,sizeof*l); l->flavour.version=v; return 0;}
int scry_layout_from_rows(const struct scry_flavour *f,const struct scry_abi*a,struct scry_layout*l){return SCRY_ENOTFOUND;}
static bool in(const char*list,const char*name){size_t n=strlen(name);for(const char*p=list;p;p=strchr(p,'|'),p=p?p+1:p){if(!strncmp(p,name,n)&&(p[n]=='|'||!p[n]))return true;}return false;}
static Dwarf_Die *peel(Dwarf_Die*d,Dwarf_Die*m){Dwarf_Attribute a;if(!dwarf_formref_die(dwarf_attr_integrate(d,DW_AT_type,&a),m))return NULL;while(dwarf_tag(m)==DW_TAG_typedef||dwarf_tag(m)==DW_TAG_const_type||dwarf_tag(m)==DW_TAG_volatile_type||dwarf_tag(m)==0x47){if(!dwarf_formref_die(dwarf_attr_integrate(m,DW_AT_type,&a),m))return NULL;}return m;}
static void members(struct scry_layout*l,enum scry_struct s,Dwarf_Die*d,const char*prefix,uint64_t base){
 Dwarf_Die c;if(dwarf_child(d,&c))return;
 do{ if(dwarf_tag(&c)!=DW_TAG_member)continue; Dwarf_Attribute a;Dwarf_Word off=0; if(dwarf_attr(&c,DW_AT_data_member_location,&a))dwarf_formudata(&a,&off);
  char path[300];const char*n=dwarf_diename(&c);snprintf(path,300,"%s%s%s",prefix,*prefix&&n?".":"",n?n:"");Dwarf_Die t;Dwarf_Word sz=8;Dwarf_Die *ty=peel(&c,&t);
  if(ty){ if(dwarf_aggregate_size(ty,&sz))sz=0; }
  Dwarf_Word bits=0,shift=0; if(dwarf_attr(&c,DW_AT_bit_size,&a))dwarf_formudata(&a,&bits); if(dwarf_attr(&c,DW_AT_data_bit_offset,&a)){dwarf_formudata(&a,&shift); off=shift/8/sz*sz; shift-=off*8;} else if(dwarf_attr(&c,DW_AT_bit_offset,&a)){Dwarf_Word bo;dwarf_formudata(&a,&bo); shift=sz*8-bits-bo;}
  for(int f=0;f<SCRY_F_COUNT;f++) if(F[f].s==s&&in(F[f].n,path)&&!l->slot[f].size){ if(sz==0)sz=8; l->slot[f]=(struct scry_slot){base+off,sz>60000?60000:sz,shift,bits};}
  if(ty&&(dwarf_tag(ty)==DW_TAG_structure_type||dwarf_tag(ty)==DW_TAG_union_type)&&strlen(path)<100)members(l,s,ty,path,base+off);
 }while(!dwarf_siblingof(&c,&c));}
int scry_layout_resolve(struct scry_session*s,const struct scry_layout_hints*h,struct scry_layout**ret){
 struct scry_layout*l=calloc(1,sizeof*l); l->flavour=h->flavour; strcpy(l->name,"tmp dwarf");
 Dwarf*dw=h->module?scry_module_dwarf(h->module,NULL,NULL):NULL; if(!dw)return scry_fail(s,SCRY_EUNSUPPORTED,0,"no dwarf");
 Dwarf_Off off=0,next;size_t hs;
 while(!dwarf_nextcu(dw,off,&next,&hs,NULL,NULL,NULL)){Dwarf_Die cu,c;if(dwarf_offdie(dw,off+hs,&cu)&&!dwarf_child(&cu,&c))do{
   int tag=dwarf_tag(&c);if(tag!=DW_TAG_structure_type&&tag!=DW_TAG_typedef&&tag!=DW_TAG_union_type)continue;const char*n=dwarf_diename(&c);if(!n||dwarf_hasattr(&c,DW_AT_declaration))continue;
   for(int k=0;k<SCRY_S_COUNT;k++)if(!l->size[k]&&in(snames[k],n)){Dwarf_Die t=c,*ty=&t;if(tag==DW_TAG_typedef){Dwarf_Die q;ty=peel(&c,&q);if(!ty||dwarf_hasattr(ty,DW_AT_declaration))continue;t=*ty;}
     Dwarf_Word sz=0;dwarf_aggregate_size(&t,&sz);if(dwarf_tag(&t)!=DW_TAG_structure_type||!sz)continue;l->size[k]=sz;members(l,k,&t,"",0);}
  }while(!dwarf_siblingof(&c,&c));off=next;}
 *ret=l;return 0;}
