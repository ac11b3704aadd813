/*
 * What must never be in the database of an index, whichever process is killed: one query each, which returns the
 * offenders.
 */

const VISIBLE = `SELECT * FROM document_builds WHERE state = 'visible'
  AND index_id IN (SELECT id FROM indexes WHERE deleted_at IS NULL)`;

/** True at any moment. */
export const TORN: Record<string, string> = {
  "a visible build has the wrong number of chunks, a gap, or a chunk twice": `
    SELECT b.id FROM (${VISIBLE}) AS b LEFT JOIN chunks AS c ON c.build_id = b.id
    GROUP BY b.id HAVING COUNT(c.id) <> b.chunks OR COUNT(DISTINCT c.position) <> b.chunks OR MAX(c.position) <> b.chunks - 1`,
  "a chunk has no vector": `
    SELECT id FROM chunks WHERE NOT EXISTS (SELECT 1 FROM chunk_vectors WHERE chunk_id = chunks.id)`,
  "a vector has no chunk": `
    SELECT chunk_id FROM chunk_vectors WHERE NOT EXISTS (SELECT 1 FROM chunks WHERE id = chunk_id)`,
  "a vector has the wrong length": `
    SELECT chunk_id FROM chunk_vectors AS v JOIN chunks AS c ON c.id = v.chunk_id
    JOIN document_builds AS b ON b.id = c.build_id
    JOIN index_versions AS i ON i.index_id = b.index_id AND i.version = b.version
    WHERE LENGTH(v.vector) <> 4 * i.dimension`,
  "a visible build has no document, or another text than it": `
    SELECT b.id FROM (${VISIBLE}) AS b LEFT JOIN documents AS d ON d.index_id = b.index_id AND d.id = b.document_id
    WHERE d.content_hash IS NOT b.content_hash`,
  "a searchable document is missing in a ready version": `
    SELECT d.id || ' version ' || v.version FROM documents AS d
    JOIN indexes AS i ON i.id = d.index_id AND i.deleted_at IS NULL
    JOIN index_versions AS v ON v.index_id = d.index_id AND v.state = 'ready'
    LEFT JOIN (${VISIBLE}) AS b ON b.index_id = d.index_id AND b.version = v.version AND b.document_id = d.id
    WHERE d.content_hash IS NOT NULL AND b.id IS NULL`,
  "the active version of an index is not ready": `
    SELECT i.id FROM indexes AS i LEFT JOIN index_versions AS v ON v.index_id = i.id AND v.version = i.active_version
    WHERE v.state IS NOT 'ready'`,
  "offsets don't reproduce a chunk": `
    SELECT c.id FROM (${VISIBLE}) AS b JOIN chunks AS c ON c.build_id = b.id
    LEFT JOIN document_texts AS t ON t.index_id = b.index_id AND t.document_id = b.document_id AND t.hash = b.content_hash
    WHERE SUBSTR(t.text, c.start + 1, c."end" - c.start) IS NOT c.text`,
};

/** Content that is no longer needed. Sweeps delete it within a minute. */
export const LEFTOVERS = `
  SELECT (SELECT COUNT(*) FROM document_builds WHERE state IN ('staging', 'replaced'))
  + (SELECT COUNT(*) FROM chunks JOIN document_builds AS b ON b.id = build_id WHERE b.state = 'deleted')
  + (SELECT COUNT(*) FROM indexes WHERE deleted_at IS NOT NULL)
  + (SELECT COUNT(*) FROM documents WHERE state NOT IN ('ready', 'failed', 'cancelled'))`;
