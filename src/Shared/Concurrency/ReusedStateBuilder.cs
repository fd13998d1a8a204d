using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using Microsoft.Extensions.ObjectPool;

namespace Bff.Concurrency;

/// <summary>
/// Builds async methods that every request runs and whose task is awaited once
/// (<c>[AsyncMethodBuilder(typeof(ReusedStateBuilder&lt;&gt;))]</c>). When such a method has to wait, its state is kept in a pooled object.
/// The runtime's own <see cref="PoolingAsyncValueTaskMethodBuilder{T}"/> keeps one such object per core. That is enough for methods that
/// wait for each other, but hundreds of calls to services wait at the same time.
/// </summary>
/// <typeparam name="T">The type of the method's result.</typeparam>
internal struct ReusedStateBuilder<T>
{
    private MethodState<T>? _state;
    private Exception? _failure;
    private T? _result;

    public static ReusedStateBuilder<T> Create() => default;

    /// <summary>The method's task, which is read once, when the method has reached its first wait or its end.</summary>
    public readonly ValueTask<T> Task =>
        _state is { } state ? state.Task
        : _failure is { } failure ? ValueTask.FromException<T>(failure)
        : new(_result!);

#pragma warning disable CA1822 // The compiler calls these members on an instance.
    /// <summary>Starts the method and leaves the caller's execution and synchronization context unchanged.</summary>
    public readonly void Start<TMethod>(ref TMethod method)
        where TMethod : IAsyncStateMachine => default(AsyncValueTaskMethodBuilder).Start(ref method);

    public readonly void SetStateMachine(IAsyncStateMachine stateMachine) { }
#pragma warning restore CA1822

    public void SetResult(T result)
    {
        if (_state is null)
        {
            _result = result;
        }
        else
        {
            _state.Succeed(result);
        }
    }

    public void SetException(Exception exception)
    {
        if (_state is null)
        {
            _failure = exception;
        }
        else
        {
            _state.Fail(exception);
        }
    }

    public void AwaitOnCompleted<TAwaiter, TMethod>(ref TAwaiter awaiter, ref TMethod method)
        where TAwaiter : INotifyCompletion
        where TMethod : IAsyncStateMachine => awaiter.OnCompleted(Suspend(ref method));

    public void AwaitUnsafeOnCompleted<TAwaiter, TMethod>(ref TAwaiter awaiter, ref TMethod method)
        where TAwaiter : ICriticalNotifyCompletion
        where TMethod : IAsyncStateMachine => awaiter.UnsafeOnCompleted(Suspend(ref method));

    private Action Suspend<TMethod>(ref TMethod method)
        where TMethod : IAsyncStateMachine
    {
        if (_state is null)
        {
            var state = MethodState<T>.Of<TMethod>.Rent();
            _state = state; // This builder is part of the method's state, which is copied only now.
            state.Method = method;
        }

        return _state.Suspend();
    }
}

/// <summary>The state of a waiting method, and the source of its task.</summary>
internal abstract class MethodState<T> : IValueTaskSource<T>
{
    private readonly Action _resume;
    private ExecutionContext? _context;
    private ManualResetValueTaskSourceCore<T> _source;

    private MethodState() => _resume = Resume;

    public ValueTask<T> Task => new(this, _source.Version);

    public Action Suspend()
    {
        _context = ExecutionContext.Capture();
        return _resume;
    }

    public void Succeed(T result) => _source.SetResult(result);

    public void Fail(Exception exception) => _source.SetException(exception);

    public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    /// <summary>Returns the method's result once. Afterwards this object is reused for another run.</summary>
    /// <exception cref="InvalidOperationException">The result has already been taken.</exception>
    public T GetResult(short token)
    {
        if (token != _source.Version || _source.GetStatus(token) == ValueTaskSourceStatus.Pending)
        {
            return _source.GetResult(token); // Throws, because another run may use this object by now.
        }

        try
        {
            return _source.GetResult(token);
        }
        finally
        {
            _context = null;
            _source.Reset();
            Return();
        }
    }

    private protected abstract void Run();

    private protected abstract void Return();

    private void Resume()
    {
        if (_context is { } context)
        {
            ExecutionContext.Run(context, static state => ((MethodState<T>)state!).Run(), this);
        }
        else
        {
            Run(); // The flow of the execution context was suppressed.
        }
    }

    /// <summary>The state of one particular method.</summary>
    public sealed class Of<TMethod> : MethodState<T>
        where TMethod : IAsyncStateMachine
    {
        /// <summary>As many objects as calls may be in progress at usual loads. Each has a few hundred bytes.</summary>
        private static readonly ObjectPool<Of<TMethod>> Idle = new DefaultObjectPool<Of<TMethod>>(new Policy(), maximumRetained: 512);

        public TMethod Method = default!;

        public static Of<TMethod> Rent() => Idle.Get();

        private protected override void Run() => Method.MoveNext();

        private protected override void Return()
        {
            Method = default!; // Keep nothing that the run has used.
            Idle.Return(this);
        }

        private sealed class Policy : IPooledObjectPolicy<Of<TMethod>>
        {
            public Of<TMethod> Create() => new();

            public bool Return(Of<TMethod> state) => true;
        }
    }
}
