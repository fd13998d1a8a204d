using System.Text;
using Bff.Edge;
using Bff.Upstreams;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Bff.Routes;

/// <summary>
/// The transform <c>"CallerPath": "/users/{sub}/notifications/{id}/read"</c>: the service's path, with the caller's subject for <c>{sub}</c> and
/// the route's values for the other names, each escaped as one segment.
/// </summary>
internal sealed class CallerPathFactory : ITransformFactory
{
    private const string Key = "CallerPath";

    public bool Validate(TransformRouteValidationContext context, IReadOnlyDictionary<string, string> transformValues)
    {
        if (!transformValues.TryGetValue(Key, out var pattern))
        {
            return false;
        }

        if (!pattern.StartsWith('/'))
        {
            context.Errors.Add(new ArgumentException($"{Key}: '{pattern}' does not begin with a slash."));
        }

        return true;
    }

    public bool Build(TransformBuilderContext context, IReadOnlyDictionary<string, string> transformValues)
    {
        if (!transformValues.TryGetValue(Key, out var pattern))
        {
            return false;
        }

        context.RequestTransforms.Add(new CallerPath(pattern));
        return true;
    }

    private sealed class CallerPath(string pattern) : RequestTransform
    {
        private readonly string[] _segments = pattern[1..].Split('/');

        public override ValueTask ApplyAsync(RequestTransformContext context)
        {
            var path = new StringBuilder(context.DestinationPrefix.TrimEnd('/'));
            foreach (var segment in _segments)
            {
                path.Append('/').Append(segment is ['{', .. var name, '}'] ? PathSegment.Of(Value(context, name)) : segment);
            }

            context.ProxyRequest.RequestUri = new Uri(path.Append(context.Query.QueryString.ToUriComponent()).ToString());
            return default;
        }

        private static string Value(RequestTransformContext context, string name) => name == "sub"
            ? BffRequest.Of(context.HttpContext).Caller.Subject
            : context.HttpContext.Request.RouteValues[name]?.ToString() ?? "";
    }
}
