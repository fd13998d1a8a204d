using System.Text.Json.Serialization.Metadata;

namespace Bff.Upstreams;

/// <summary>A GraphQL request's body.</summary>
/// <param name="Query">The document; a constant.</param>
/// <param name="Variables">What it is asked with.</param>
public sealed record GraphQlQuery<TVariables>(string Query, TVariables Variables);

/// <summary>What every GraphQL answer has.</summary>
/// <param name="Data">Null where the query came to nothing.</param>
/// <param name="Errors">Not empty where any of it failed.</param>
public sealed record GraphQlAnswer<TData>(TData? Data = null, IReadOnlyList<GraphQlError>? Errors = null)
    where TData : class;

/// <summary>What failed.</summary>
public sealed record GraphQlError(string? Message = null);

/// <summary>Reads GraphQL answers.</summary>
public static class GraphQl
{
    /// <summary>
    /// Says of a POST that it is a query, which changes nothing, and reads its data. An <c>errors</c> array makes the answer a failure
    /// whatever its status (GraphQL over HTTP), as the absence of all data does.
    /// </summary>
    /// <param name="call">The query.</param>
    /// <param name="read">The value; null when what was asked for is not there.</param>
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
