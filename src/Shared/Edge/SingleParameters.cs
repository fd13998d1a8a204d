using System.Reflection;
using Bff.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bff.Edge;

/// <summary>
/// Rejects requests that repeat a query parameter that takes a single string. The framework would join repeated values with a comma
/// (<c>q=a&amp;q=b</c> would search for <c>a,b</c>) or drop empty ones, and other parsers take the first or the last value.
/// </summary>
public static class SingleParameters
{
    private const string Advice = "Must be given once.";

    /// <summary>Answers a repeated query parameter with 400 <c>validation_failed</c>, which names the parameter.</summary>
    /// <param name="builder">The endpoints.</param>
    /// <param name="except">Names of parameters that are comma-separated lists. Repeated values form one list.</param>
    public static TBuilder WithSingleParameters<TBuilder>(this TBuilder builder, params string[] except)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint =>
        {
            if (Names(endpoint, except) is { Length: > 0 } names)
            {
                var serve = endpoint.RequestDelegate!;
                endpoint.RequestDelegate = context =>
                {
                    Check(context.Request.Query, names);
                    return serve(context);
                };
            }
        });
        return builder;
    }

    private static string[] Names(EndpointBuilder endpoint, string[] except) =>
        endpoint is RouteEndpointBuilder route && endpoint.Metadata.OfType<MethodInfo>().FirstOrDefault() is { } handler
            ?
            [
                .. handler
                    .GetParameters()
                    .Where(p => p.ParameterType == typeof(string) && route.RoutePattern.GetParameter(p.Name!) is null)
                    .Select(p => p.Name!)
                    .Except(except),
            ]
            : [];

    private static void Check(IQueryCollection query, string[] names)
    {
        foreach (var name in names)
        {
            if (query[name].Count > 1)
            {
                throw new ProblemException(Problem.Invalid(name, Advice));
            }
        }
    }
}
