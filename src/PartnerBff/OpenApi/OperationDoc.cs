using Bff.Requests;

namespace PartnerBff.OpenApi;

/// <summary>Endpoint metadata: what the contract says about an operation beside its types.</summary>
/// <param name="Summary">One line.</param>
/// <param name="Description">What a partner's developer must know, in Markdown.</param>
internal sealed record OperationDoc(string Summary, string Description)
{
    /// <summary>Type of the request's body; null for none.</summary>
    public Type? Body { get; init; }

    /// <summary>Whether the operation requires its body.</summary>
    public bool IsBodyRequired { get; init; } = true;

    /// <summary>Example of a request's body.</summary>
    public string? BodyExample { get; init; }

    /// <summary>Example of an answer's body.</summary>
    public string? AnswerExample { get; init; }

    /// <summary>Whether <c>Idempotency-Key</c> is required (true), accepted (false) or ignored (null).</summary>
    public bool? Key { get; init; }

    /// <summary>Whether a POST ends or replaces something instead of adding; other methods show it themselves.</summary>
    public bool IsDestructive { get; init; }

    /// <summary>Whether the operation is a list with <c>limit</c> and <c>cursor</c>.</summary>
    public bool IsList { get; init; }

    /// <summary>Further query parameters with their descriptions.</summary>
    public IReadOnlyDictionary<string, string> Query { get; init; } = new Dictionary<string, string>();

    /// <summary>Errors besides those that every operation can return.</summary>
    public IReadOnlyList<ProblemCode> Errors { get; init; } = [];
}

internal static class OperationDocExtensions
{
    /// <summary>Adds the documentation of an operation.</summary>
    public static TBuilder Documented<TBuilder>(this TBuilder builder, OperationDoc doc)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint => endpoint.Metadata.Add(doc));
        return builder;
    }
}
