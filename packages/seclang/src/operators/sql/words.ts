/**
 * Words of SQL and what they are among its tokens. A letter stands for a kind: `E` begins an expression or statement, `T` a
 * statement that stands alone, `U` joins two results, `B` groups or limits, `k` any other keyword, `f` a function, `o` an
 * operator, `&` one of logic, `t` a type, `v` a variable, `1` a number, `A` collation, `n` a name.
 */
const WORDS: Readonly<Record<string, string>> = {
  E: `case|create|execute as|insert|insert delayed|insert ignore|insert low_priority|insert high_priority|raiserror|select|
    select all|select distinct|set|update|waitfor delay|waitfor receive|waitfor time`,
  T: `begin|begin declare|begin goto|begin try|call|create or replace|declare|delete|drop|exec|execute|go|goto|handler|
    insert into|insert delayed into|insert ignore into|load data|load xml|print|shutdown|try|use|while`,
  U: 'except|intersect|intersect all|union|union all|union distinct',
  B: 'group by|having|limit|order by|partition by',
  A: 'collate',
  '&': 'and|or|xor|&&|\\|\\|',
  '1': 'true|false',
  v: `current_date|current_path|current_schema|current_server|current_time|current_timestamp|current_timezone|current_user|
    localtime|localtimestamp|null|unknown`,
  o: `between|div|eqv|is|is distinct from|is not|is not distinct from|like|mod|not|not between|not like|not regexp|not rlike|
    not similar|not similar to|regexp|rlike|similar to|sounds like|uescape|!!|!<|!=|!>|%=|&=|*=|+=|-=|/=|::|:=|<<|<=|<>|<@|>=|>>|
    @>|^=|\\|/|\\|=|~*`,
  t: `bigint|bigserial|binary|boolean|bytea|character|character varying|decimal|double|double precision|float|float4|float8|int|
    int2|int4|int8|integer|money|numeric|oid|real|regclass|regproc|regtype|serial|smallint|text|timestamp|varchar|void|_ascii|
    _binary|_latin1|_utf8`,
  n: `at time|by|check|create or|cross|database|do|dual|for|group|in boolean|is distinct|is not distinct|lock|lock in|mode|natural|
    order|out|outer|password|right|show|table|trailing|unique|user|user_id|user_name|waitfor|with`,
  k: `abort|against|all_users|alter|alter table|analyze|as|asc|at time zone|autoincrement|before|blob|both|cascade|change|column|
    constraint|continue|cross join|cursor|databases|dec|default|delay|delayed|desc|describe|distinct|distinctrow|else|elseif|
    enclosed|escaped|exit|explain|fetch|force|foreign|for update|from|fulltext|full join|full outer|full outer join|function|grant|
    high_priority|ignore|in|in boolean mode|index|infile|inner|inner join|inout|interval|into|into dumpfile|into outfile|
    iterate|join|keys|kill|leading|leave|left join|left outer|left outer join|lines|load|lock in share mode|lock table|lock tables|
    longblob|longtext|loop|low_priority|match|maxvalue|mediumint|mediumtext|merge|natural join|not in|notnull|nowait|offset|open|
    optimize|option|outfile|partition|precision|primary|procedure|purge|range|read|references|release|rename|repeat|replace|
    require|restrict|return|revoke|right join|right outer|right outer join|schema|schemas|separator|signal|similar|sql|
    sql_cache|sql_calc_found_rows|sql_no_cache|starting|straight_join|syscolumns|sysobjects|sysusers|terminated|then|time|tinyint|
    tinytext|top|trigger|undo|unlock|unsigned|usage|utc_date|utc_time|utc_timestamp|values|varbinary|varying|when|where|with rollup|
    xp_execresultset|year_month|zerofill`,
  f: `abs|acos|adddate|addtime|aes_decrypt|aes_encrypt|age|any|app_name|array_agg|array_to_string|ascii|asin|atan|atan2|avg|
    benchmark|bin|bit_and|bit_count|bit_length|bit_or|bit_xor|bool_and|bool_or|btrim|cast|cbool|ceil|ceiling|char|char_length|
    character_length|charindex|charset|chr|cint|coalesce|coercibility|col_length|col_name|collation|compress|concat|concat_ws|
    connection_id|conv|convert|convert_tz|cos|cot|count|crc32|curdate|current_database|current_query|current_setting|currval|
    curtime|datalength|date|date_add|date_format|date_part|date_sub|date_trunc|dateadd|datediff|datename|datepart|day|dayname|
    dayofmonth|dayofweek|dayofyear|db_id|db_name|dbms_lock.sleep|dbms_pipe.receive_message|decode|degrees|des_decrypt|
    des_encrypt|elt|encode|encrypt|exists|exp|export_set|extract|extractvalue|field|file_id|file_name|find_in_set|first_value|
    floor|format|found_rows|from_base64|from_days|from_unixtime|generate_series|get_lock|getdate|getutcdate|greatest|
    group_concat|hashbytes|hex|host_name|hour|ident_current|if|if exists|if not|if not exists|iff|ifnull|iif|inet_aton|inet_ntoa|
    initcap|instr|is_free_lock|is_member|is_srvrolemember|is_used_lock|isnull|isnumeric|json_keys|last_insert_id|last_insert_rowid|
    last_value|lastval|lcase|least|left|length|ln|load_extension|load_file|locate|log|log10|log2|lower|lpad|ltrim|make_set|
    makedate|master_pos_wait|max|md5|microsecond|mid|min|minute|month|monthname|name_const|nextval|now|ntile|nullif|object_id|
    object_name|oct|octet_length|old_password|opendatasource|openquery|openrowset|ord|overlay|patindex|period_add|period_diff|
    pg_backend_pid|pg_cancel_backend|pg_ls_dir|pg_read_file|pg_sleep|pg_stat_file|pg_terminate_backend|pi|position|pow|power|
    procedure_analyse|quarter|quote|quote_ident|quote_literal|quotename|radians|rand|random|randomblob|rank|regexp_instr|
    regexp_matches|regexp_replace|regexp_substr|release_lock|replicate|reverse|round|row|row_count|row_number|row_to_json|rpad|rtrim|
    schema_id|scope_identity|sec_to_time|serverproperty|session_user|setval|sha|sha1|sha2|sign|sin|sleep|some|soundex|space|
    split_part|sqlite_version|sqrt|stddev|strcmp|string_agg|strpos|str_to_date|stuff|subdate|substr|substring|substring_index|
    subtime|sum|suser_id|suser_name|suser_sname|sysdate|sysdatetime|system_user|tan|time_format|time_to_sec|timediff|timestampadd|
    to_base64|to_char|to_date|to_days|to_hex|to_number|to_timestamp|total_changes|translate|trim|trunc|truncate|try_cast|try_convert|
    typeof|ucase|uncompress|unhex|unicode|unix_timestamp|unnest|updatexml|upper|user_lock.sleep|using|utl_http.request|
    utl_inaddr.get_host_address|utl_inaddr.get_host_name|uuid|uuid_short|var_pop|var_samp|variance|version|week|weekday|weekofyear|
    xmlagg|xmlelement|xmlexists|xmlforest|xmlroot|xmltype|xpath|xpath_exists|year|yearweek|zeroblob`,
};

const KINDS: ReadonlyMap<string, string> = new Map(
  Object.entries(WORDS).flatMap(([kind, list]) =>
    list.split(/(?<!\\)\|/).map((word): [string, string] => [word.trim().replaceAll('\\|', '|'), kind]),
  ),
);

/** Words are no longer than this. */
export const LONGEST_WORD = 31;

/** What a word is, or several with one space between; null = none of SQL's. */
export function kindOf(word: string): string | null {
  return word.length > LONGEST_WORD ? null : (KINDS.get(word.toLowerCase()) ?? null);
}
