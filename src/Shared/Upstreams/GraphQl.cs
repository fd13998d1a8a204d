using System.Text.Json.Serialization.Metadata;

namespace Bff.Upstreams;

/// <summary>The body of a GraphQL request.</summary>
/// <param name="Query">The document; a constant.</param>
/// <param name="Variables">The variables.</param>
public sealed record GraphQlQuery<TVariables>(string Query, TVariables Variables);

/// <summary>The body of a GraphQL answer.</summary>
/// <param name="Data">The data; null if the query failed as a whole.</param>
/// <param name="Errors">The errors; not empty if any part of the query failed.</param>
public sealed record GraphQlAnswer<TData>(TData? Data = null, IReadOnlyList<GraphQlError>? Errors = null)
    where TData : class;

/// <summary>An error in a GraphQL answer.</summary>
public sealed record GraphQlError(string? Message = null);

/// <summary>Sends GraphQL queries and reads their answers.</summary>
public static class GraphQl
{
    /// <summary>
    /// Marks a POST as a query, which changes nothing, and reads its data. An <c>errors</c> array makes the answer a failure whatever its
    /// status (GraphQL over HTTP); so does the absence of all data.
    /// </summary>
    /// <param name="call">The query.</param>
    /// <param name="read">Reads the value; returns null if the requested object does not exist.</param>
    /// <param name="type">Source-generated metadata of the value.</param>
    public static UpstreamCall<T> Query<TData, T>(this UpstreamCall<GraphQlAnswer<TData>> call, Func<TData, T?> read, JsonTypeInfo<T> type)
        where TData : class
        where T : class => ((DeclaredCall<GraphQlAnswer<TData>>)call).OnlyReads().Read(answer => Read(answer, read), type);

    private static UpstreamAnswer<T> Read<TData, T>(UpstreamAnswer<GraphQlAnswer<TData>> answer, Func<TData, T?> read)
        where TData : class
        where T : class =>
        answer.Value switch
        {
            null => answer.As<T>(),
            { Errors.Count: > 0 } or { Data: null } => UpstreamAnswer<T>.No(UpstreamOutcome.Failed, answer.Status),
            { Data: var data } => read(data) is { } value ? answer.Map(_ => value) : UpstreamAnswer<T>.No(UpstreamOutcome.NotFound),
        };
}
